//! A running platform of its own: free ports, databases and folder of its own, demo data on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cable::Cable;
use crate::client::Client;
use crate::port::free_address;
use crate::program::{Program, ProgramError, run_with};
use crate::scratch::Scratch;

/// The subgraphs, in the order of their default ports.
pub const SUBGRAPHS: [&str; 5] = ["auth", "product", "inventory", "order", "payment"];

const START_LIMIT: Duration = Duration::from_secs(90);
/// What is under way at the end of a test.
const SETTLED_WITHIN: Duration = Duration::from_secs(45);
const MAIL_LIMIT: Duration = Duration::from_secs(10);

/// How the platform runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `fondaco up`: one process, private servers.
    OneProcess,
    /// Every part its own process beside servers of `fondaco servers`.
    Separate,
}

/// A running platform; everything ends with it.
#[derive(Debug)]
pub struct Platform {
    /// Programs by name: `up`, or `router`, `auth`, …, and `servers`.
    pub programs: BTreeMap<String, Program>,
    /// Address of each part, `127.0.0.1:PORT`.
    pub addresses: BTreeMap<String, String>,
    /// Cables to the servers by name, `postgres` and `redis`, where the platform was started with them.
    pub cables: BTreeMap<&'static str, Cable>,
    folder: Scratch,
    identity_secret: String,
    environment: Vec<(&'static str, &'static str)>,
    /// By part.
    of_parts: BTreeMap<String, Vec<(&'static str, String)>>,
}

impl Platform {
    /// Starts a platform whose servers keep nothing on disk, and waits until it is ready.
    pub async fn start(mode: Mode) -> Result<Self, ProgramError> {
        let mut platform = Self::prepare()?;
        platform.start_in(mode).await?;
        Ok(platform)
    }

    /// Starts every part as its own process, configured as `configure` changes the usual configuration.
    pub async fn start_configured(configure: impl FnOnce(&mut Value)) -> Result<Self, ProgramError> {
        let mut platform = Self::prepare_configured(configure)?;
        platform.start_separate(&[]).await?;
        Ok(platform)
    }

    /// Starts every part as its own process beside servers that are there already, configured as `configure` changes the usual
    /// configuration.
    pub async fn start_beside(
        database_url: &str,
        redis_url: &str,
        configure: impl FnOnce(&mut Value),
    ) -> Result<Self, ProgramError> {
        let mut platform = Self::prepare_configured(configure)?;
        platform.environment.push(("TOKIO_WORKER_THREADS", "1"));
        std::fs::write(platform.urls_file(), format!("{database_url}\n{redis_url}\n"))?;
        platform.start_parts().await?;
        Ok(platform)
    }

    /// Starts a platform whose servers flush to disk as in production, configured as `configure` changes the usual configuration. Parts that
    /// are processes of their own have one worker thread each, as in the compose stack: seven processes share the machine, and idle workers
    /// cost the others time.
    pub async fn start_durable(mode: Mode, configure: impl FnOnce(&mut Value)) -> Result<Self, ProgramError> {
        let mut platform = Self::prepare_configured(configure)?;
        match mode {
            Mode::OneProcess => platform.start_one_process().await?,
            Mode::Separate => {
                platform.environment.push(("TOKIO_WORKER_THREADS", "1"));
                platform.start_separate(&["--durable"]).await?;
            }
        }
        Ok(platform)
    }

    /// Starts every part as its own process, each connected to the servers by cables.
    pub async fn start_with_cables() -> Result<Self, ProgramError> {
        let mut platform = Self::prepare()?;
        platform.start_servers(&[]).await?;
        platform.lay_cables().await?;
        platform.start_parts().await?;
        Ok(platform)
    }

    /// Starts a platform that logs as much as `filter` lets through.
    pub async fn start_logging(mode: Mode, filter: &'static str) -> Result<Self, ProgramError> {
        let mut platform = Self::prepare()?;
        platform.environment.push(("FONDACO_LOG", filter));
        platform.start_in(mode).await?;
        Ok(platform)
    }

    /// Waits for the `count`th mail to an address and returns it.
    pub async fn mail(&self, to: &str, count: usize) -> Option<String> {
        let deadline = Instant::now() + MAIL_LIMIT;
        loop {
            let mut mails = mails(&self.outbox(), to);
            if mails.len() >= count {
                return Some(mails.swap_remove(count - 1));
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A client of the router.
    pub fn client(&self) -> Client {
        Client::new(self.url("router", "/graphql"))
    }

    /// URL of a path at one of the parts.
    pub fn url(&self, part: &str, path: &str) -> String {
        format!("http://{}{path}", self.addresses[part])
    }

    /// What all programs wrote.
    pub fn logs(&self) -> String {
        self.programs
            .iter()
            .map(|(name, program)| format!("--- {name}\n{}\n", program.log()))
            .collect()
    }

    /// The first warnings and errors each program logged.
    pub fn warnings(&self) -> String {
        let mut warnings = String::new();
        for (name, program) in &self.programs {
            let log = program.log();
            let warning = |line: &&str| line.contains("WARN") || line.contains("ERROR");
            let lines = log
                .lines()
                .filter(warning)
                .filter(|line| !line.contains("sqlx::pool::acquire"));
            for line in lines.take(12) {
                warnings.push_str(&format!("{name}: {line}\n"));
            }
        }
        warnings
    }

    /// Runs `fondaco reconcile` on a platform of separate parts, which proves that stock, orders and payments agree. What is under way
    /// gets the time to settle. Gives the table, and whether the books balance.
    pub async fn reconcile(&self) -> Result<(String, bool), ProgramError> {
        self.reconcile_within(SETTLED_WITHIN).await
    }

    /// [`reconcile`](Self::reconcile), with so much time to settle.
    pub async fn reconcile_within(&self, limit: Duration) -> Result<(String, bool), ProgramError> {
        let environment = self.server_urls()?;
        let wait = limit.as_secs().to_string();
        let args = ["reconcile", "--config", &self.config_file(), "--wait", &wait];
        let output = run_with(&args, &environment).await?;
        let written = [output.stdout, output.stderr].concat();
        Ok((
            String::from_utf8_lossy(&written).into_owned(),
            output.status.success(),
        ))
    }

    /// Starts one of the separate parts (again) and waits until it is ready.
    pub async fn start_part(&mut self, part: &str) -> Result<(), ProgramError> {
        self.launch_part(part)?;
        let url = self.url(part, "/ready");
        let program = self.programs.get_mut(part).expect("it was just started");
        program.ready(&url, START_LIMIT).await
    }

    /// Starts one of the separate parts (again), as a supervisor does: when it is ready is its own affair.
    pub fn launch_part(&mut self, part: &str) -> Result<(), ProgramError> {
        let supergraph = supergraph();
        let config = self.config_file();
        let mut args = vec![part, "--config", &config];
        if part == "router" {
            args.extend(["--supergraph", &supergraph]);
        }
        let urls = self.server_urls()?;
        let urls = urls.iter().map(|(name, url)| (*name, url.as_str()));
        let own = self.of_parts.get(part).map(Vec::as_slice).unwrap_or_default();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let environment: Vec<_> = urls.chain(self.environment.iter().copied()).chain(own).collect();
        let program = Program::start(part, self.folder.path(), &args, &environment)?;
        self.programs.insert(part.to_owned(), program);
        Ok(())
    }

    /// From its next start on, a part has these variables in its environment, and those of earlier calls no more.
    pub fn set_environment(&mut self, part: &str, environment: Vec<(&'static str, String)>) {
        self.of_parts.insert(part.to_owned(), environment);
    }

    /// Kills one of the separate parts as `kill -9` does.
    pub async fn kill_part(&mut self, part: &str) -> Result<(), ProgramError> {
        match self.programs.get_mut(part) {
            Some(program) => program.kill().await,
            None => Ok(()),
        }
    }

    /// Ends each program in turn, the router first, by what Ctrl-C sends; returns those that did not end with success.
    pub async fn stop(&mut self) -> Result<Vec<String>, ProgramError> {
        let mut failed = Vec::new();
        for name in [
            "up",
            "router",
            "auth",
            "product",
            "inventory",
            "order",
            "payment",
            "servers",
        ] {
            let Some(program) = self.programs.get_mut(name) else {
                continue;
            };
            if name == "servers" {
                program.untether();
            } else {
                program.signal(nix::sys::signal::Signal::SIGINT);
            }
            let status = program.wait(Duration::from_secs(30)).await?;
            if !status.is_some_and(|status| status.success()) {
                failed.push(format!("{name}: {status:?}"));
            }
        }
        Ok(failed)
    }

    fn prepare() -> Result<Self, ProgramError> {
        Self::prepare_configured(|_| {})
    }

    fn prepare_configured(configure: impl FnOnce(&mut Value)) -> Result<Self, ProgramError> {
        let folder = Scratch::new("e2e")?;
        let parts = ["router"].into_iter().chain(SUBGRAPHS);
        let addresses: BTreeMap<String, String> =
            parts.map(|part| (part.to_owned(), free_address())).collect();
        let identity_secret = uuid::Uuid::new_v4().to_string();
        let outbox = folder.path().join("outbox");
        let mut config = configuration(&addresses, &identity_secret, &outbox);
        configure(&mut config);
        // Every JSON document is a YAML document.
        folder.write("fondaco.yaml", &config.to_string())?;
        Ok(Self {
            programs: BTreeMap::new(),
            addresses,
            cables: BTreeMap::new(),
            folder,
            identity_secret: config["identity"]["secret"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            environment: Vec::new(),
            of_parts: BTreeMap::new(),
        })
    }

    /// Starts `fondaco up` (again).
    pub async fn start_one_process(&mut self) -> Result<(), ProgramError> {
        let data = self.data_folder();
        let config = self.config_file();
        let args = ["up", "--config", &config, "--data", &data.to_string_lossy()];
        // The tests' own servers, if any, are not for a platform that is to start servers itself.
        let mut environment = vec![("DATABASE_URL", ""), ("REDIS_URL", "")];
        environment.extend(&self.environment);
        let mut program = Program::start("up", self.folder.path(), &args, &environment)?;
        program.ready(&self.url("router", "/ready"), START_LIMIT).await?;
        self.programs.insert("up".to_owned(), program);
        Ok(())
    }

    async fn start_in(&mut self, mode: Mode) -> Result<(), ProgramError> {
        match mode {
            Mode::OneProcess => self.start_one_process().await,
            Mode::Separate => self.start_separate(&[]).await,
        }
    }

    async fn start_separate(&mut self, options: &[&str]) -> Result<(), ProgramError> {
        self.start_servers(options).await?;
        self.start_parts().await
    }

    async fn start_parts(&mut self) -> Result<(), ProgramError> {
        for part in SUBGRAPHS.into_iter().chain(["router"]) {
            self.start_part(part).await?;
        }
        Ok(())
    }

    /// Runs a shell below `fondaco servers` that writes the two URLs into a file and waits for the end of its input.
    async fn start_servers(&mut self, options: &[&str]) -> Result<(), ProgramError> {
        let file = self.urls_file();
        let script =
            r#"printf '%s\n' "$DATABASE_URL" "$REDIS_URL" >"$1.new"; mv "$1.new" "$1"; exec cat >/dev/null"#;
        let mut args = vec!["servers"];
        args.extend(options);
        let file_name = file.to_string_lossy();
        args.extend(["--", "sh", "-c", script, "sh", &*file_name]);
        let program = Program::start_tethered("servers", self.folder.path(), &args, &[])?;
        self.programs.insert("servers".to_owned(), program);
        let deadline = Instant::now() + START_LIMIT;
        while !file.exists() {
            if Instant::now() > deadline {
                let log = self.logs();
                return Err(ProgramError::NotReady {
                    name: "servers".to_owned(),
                    limit: START_LIMIT,
                    log,
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Replaces the servers' addresses by those of cables.
    async fn lay_cables(&mut self) -> Result<(), ProgramError> {
        let mut text = String::new();
        for ((_, url), name) in self.server_urls()?.into_iter().zip(["postgres", "redis"]) {
            let authority = url.rsplit('@').next().unwrap_or_default();
            let address = authority.split('/').next().unwrap_or_default();
            let cable = Cable::to(address).await?;
            text.push_str(&url.replace(address, &cable.address().to_string()));
            text.push('\n');
            self.cables.insert(name, cable);
        }
        Ok(std::fs::write(self.urls_file(), text)?)
    }

    /// `DATABASE_URL` and `REDIS_URL` of a platform of separate parts.
    pub fn server_urls(&self) -> Result<Vec<(&'static str, String)>, ProgramError> {
        let text = std::fs::read_to_string(self.urls_file())?;
        Ok(["DATABASE_URL", "REDIS_URL"]
            .into_iter()
            .zip(text.lines().map(str::to_owned))
            .collect())
    }

    /// The secret that router and subgraphs share.
    pub fn identity_secret(&self) -> &str {
        &self.identity_secret
    }

    /// The folder of the data of `fondaco up`.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn urls_file(&self) -> PathBuf {
        self.folder.path().join("urls")
    }

    fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox")
    }

    fn config_file(&self) -> String {
        self.folder
            .path()
            .join("fondaco.yaml")
            .to_string_lossy()
            .into_owned()
    }
}

/// The committed supergraph.
pub fn supergraph() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/supergraph.graphql").to_owned()
}

/// All mails to an address, oldest first.
fn mails(outbox: &Path, to: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(outbox) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
    files.sort();
    let header = format!("To: {to}\r\n");
    let mails = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    mails.filter(|mail| mail.contains(&header)).collect()
}

fn configuration(addresses: &BTreeMap<String, String>, identity_secret: &str, outbox: &Path) -> Value {
    let urls: BTreeMap<&str, String> = SUBGRAPHS
        .iter()
        .map(|name| (*name, format!("http://{}/graphql", addresses[*name])))
        .collect();
    let mut config = json!({
        "identity": { "secret": identity_secret, "require": true },
        "peers": urls,
        "router": {
            "listen": addresses["router"],
            "subgraph_urls": urls,
            "authentication": { "issuers": [{
                "issuer": "fondaco",
                "audiences": ["fondaco"],
                "jwks_url": format!("http://{}/.well-known/jwks.json", addresses["auth"]),
                "token_types": ["at+jwt"],
                "required_claims": { "token_use": "access" },
                "revocation": true,
            }]},
        },
    });
    for name in SUBGRAPHS {
        config[name] = json!({ "listen": addresses[name] });
    }
    for name in ["auth", "product", "inventory"] {
        config[name]["demo"] = json!(true);
    }
    // Hashes as cheap as the function allows: a thousand sign-ups are not what is tested.
    config["auth"]["password"] = json!({ "memory_kib": 64, "iterations": 1 });
    config["auth"]["mail"] = json!({ "outbox": outbox });
    config
}
