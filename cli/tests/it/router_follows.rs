//! A router that follows a registry: every version is served soon after it was published, and no request fails meanwhile.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

use crate::program::{FONDACO, Folder};

const VERSIONS: usize = 12;
const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_a_folder_are_swapped_in_without_a_failed_request() {
    let folder = Folder::new();
    let registry = folder.path().join("registry").display().to_string();
    follow(&folder, &registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_postgres_are_swapped_in_without_a_failed_request() {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres; ./dev test sets it");
    let server = PgConnectOptions::from_str(&url).unwrap();
    let maintenance = server.get_database().unwrap_or("postgres").to_owned();
    let server = server.database(&maintenance);
    let name = format!("fondaco_registry_test_{}", Uuid::new_v4().simple());
    run(&server, &format!("create database {name}")).await;
    let (base, options) = url
        .split_once('?')
        .map_or((&*url, ""), |(base, options)| (base, options));
    // The server's address, without a database's name.
    let server_part = match base[11..].find('/') {
        Some(slash) => &base[..11 + slash],
        None => base,
    };
    let registry = format!("{server_part}/{name}?{options}");
    follow(&Folder::new(), registry.trim_end_matches('?')).await;
    run(&server, &format!("drop database {name} with (force)")).await;
}

async fn run(server: &PgConnectOptions, statement: &str) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    let statement = AssertSqlSafe(statement.to_owned());
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn follow(folder: &Folder, registry: &str) {
    let subgraph = subgraph().await;
    publish(folder, registry, &subgraph, 1);
    let router = Served::start(folder, registry).await;
    let load = Load::start(&router.url);
    for version in 2..=VERSIONS {
        publish(folder, registry, &subgraph, version);
        router.serves(version).await;
    }
    let (answered, failures) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered} requests");
    assert!(answered > 100, "{answered} requests");
    println!(
        "{answered} requests answered while {} versions were swapped in",
        VERSIONS - 1
    );
}

/// A subgraph that has an answer for everything. Returns its address.
async fn subgraph() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    let answer = || async { axum::Json(json!({ "data": { "a": 1 } })) };
    let routes = Router::new().route("/graphql", post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// Version `n` has a field `f{n}` and lacks the field of the version before.
fn publish(folder: &Folder, registry: &str, subgraph: &str, version: usize) {
    folder.write("a.graphql", format!("type Query {{ a: Int f{version}: Int }}\n"));
    let config =
        format!("subgraphs: {{ a: {{ routing_url: '{subgraph}', schema: {{ file: a.graphql }} }} }}\n");
    folder.write("supergraph.yaml", config);
    let arguments = [
        "publish",
        "--registry",
        registry,
        "--config",
        "supergraph.yaml",
        "--force",
        "a test",
    ];
    let said = format!("published version {version}");
    folder.fondaco(&arguments).expect(0, &said);
}

/// A running router.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    async fn start(folder: &Folder, registry: &str) -> Self {
        folder.write("fondaco.yaml", "router: { reload: { interval_ms: 50 } }\n");
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let mut command = Command::new(FONDACO);
        command.args([
            "router",
            "--config",
            "fondaco.yaml",
            "--registry",
            registry,
            "--listen",
            &address,
        ]);
        let process = folder
            .prepare(&mut command)
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let served = Self {
            process,
            url: format!("http://{address}/graphql"),
        };
        served.serves(1).await;
        served
    }

    /// Waits until the router has the version's field.
    async fn serves(&self, version: usize) {
        let client = reqwest::Client::new();
        let query = json!({ "query": "{ __type(name: \"Query\") { fields { name } } }" });
        let has_field = async {
            loop {
                if let Ok(answer) = client.post(&self.url).json(&query).send().await {
                    let answer: Value = answer.json().await.unwrap();
                    if answer["data"]["__type"]["fields"][1]["name"] == format!("f{version}") {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), has_field)
            .await
            .unwrap_or_else(|_| panic!("version {version} is not served"));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Clients that ask without a pause.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(url: &str) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let clients =
            (0..CLIENTS).map(|_| tokio::spawn(ask(url.to_owned(), Arc::clone(&stop), Arc::clone(&answered))));
        Self {
            clients: clients.collect(),
            stop,
            answered,
        }
    }

    /// How many were answered, and what failed.
    async fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for client in self.clients {
            failures.extend(client.await.unwrap());
        }
        (self.answered.load(Ordering::Relaxed), failures)
    }
}

async fn ask(url: String, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut failures = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let request = client.post(&url).json(&json!({ "query": "{ a }" }));
        let answer = match request.send().await {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) if answer == "{\"data\":{\"a\":1}}" => {
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok(other) => failures.push(other),
            Err(error) => failures.push(error.to_string()),
        }
    }
    failures
}
