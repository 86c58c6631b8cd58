//! Running the program, in a folder with files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use uuid::Uuid;

/// The program under test.
pub const FONDACO: &str = env!("CARGO_BIN_EXE_fondaco");

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("fondaco-cli-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, with the folders it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A configuration `supergraph.yaml` over one file a subgraph: `a.graphql` is `a`.
    pub fn write_graph(&self, subgraphs: &[(&str, &str)]) {
        let mut yaml = "subgraphs:\n".to_owned();
        for (name, sdl) in subgraphs {
            self.write(&format!("{name}.graphql"), sdl);
            yaml += &format!(
                "  {name}:\n    routing_url: http://{name}.test/graphql\n    schema: {{ file: {name}.graphql }}\n"
            );
        }
        self.write("supergraph.yaml", yaml);
    }

    /// Runs the program here.
    pub fn fondaco(&self, arguments: &[&str]) -> Run {
        self.run(FONDACO, arguments)
    }

    /// Runs any program here; `fondaco` is on its path.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Run {
        let mut command = Command::new(program);
        command.args(arguments);
        Run::of(self.prepare(&mut command).output().unwrap())
    }

    /// Sets folder and environment: what the machine's own settings say does not count.
    pub fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let folder = Path::new(FONDACO).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .env("PATH", format!("{}:{path}", folder.display()))
            .env("NO_COLOR", "1")
            .env("HOME", &self.0)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            // The folder of temporary files may be inside somebody's repository.
            .env("GIT_CEILING_DIRECTORIES", std::env::temp_dir())
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ada")))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@example.com")))
            .env_remove("FONDACO_REGISTRY")
            .env_remove("GITHUB_ACTOR")
            .env_remove("GITLAB_USER_LOGIN")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a program did.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).expect("it prints UTF-8"),
            err: String::from_utf8(output.stderr).expect("it prints UTF-8"),
        };
        assert!(!run.err.contains("panicked"), "{run:?}");
        run
    }

    /// Fails unless it ended so, and said so: somewhere in its output or its errors.
    #[track_caller]
    pub fn expect(self, code: i32, said: &str) -> Self {
        let is_said = self.out.contains(said) || self.err.contains(said);
        assert!(
            self.code == code && is_said,
            "expected {code} and `{said}`, not {}:\n{}\n{}",
            self.code,
            self.out,
            self.err
        );
        self
    }
}
