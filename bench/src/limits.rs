//! What the machine does at best, measured by the servers' own tools beside the platform's own servers: the reserve script alone, and the
//! statements of an order alone. The gap to the purchases is what the platform adds.

use std::path::PathBuf;
use std::process::Stdio;

use fondaco_e2e::platform::Platform;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const RESERVE: &str = include_str!("../../subgraphs/inventory/src/reserve.lua");
/// What an order writes, one at a time: in a scratch copy of the order service's tables.
const ORDER: &str = include_str!("../limits/order.sql");
/// The service's database, as the servers of a bench call it.
const DATABASE: &str = "fondaco_order";
const SCRATCH: &str = "limits";
const CLIENTS: &str = "32";
const PIPELINE: &str = "16";
const RESERVATIONS: &str = "200000";

type Failure = Box<dyn std::error::Error>;

/// Measures and prints both. Returns the number of measurements that failed.
pub async fn run(platform: &Platform, seconds: u64) -> u64 {
    println!("\nthe machine's own limits, without the platform");
    let urls = platform.server_urls().unwrap_or_default();
    let [(_, postgres), (_, redis)] = &urls[..] else {
        println!("  not measured: one process keeps its servers to itself");
        return 0;
    };
    let mut failed = 0;
    for (what, measured) in [
        ("reserve script alone", reserve(redis).await),
        (
            "order transaction alone, one at a time",
            order(postgres, seconds).await,
        ),
    ] {
        match measured {
            Ok(rate) => println!("  {what:<40} {rate:>8.0}/s"),
            Err(error) => {
                println!("  {what:<40} failed: {error}");
                failed += 1;
            }
        }
    }
    failed
}

/// Reservations a second of one SKU, each under a name of its own.
async fn reserve(redis: &str) -> Result<f64, Failure> {
    let key = |name: &str| format!("{{limits}}:{name}");
    let cli = async |args: &[&str]| {
        output("redis-cli", &[&["-u", redis, "--no-auth-warning"], args].concat()).await
    };
    cli(&["SET", &key("available"), "1000000000000"]).await?;
    let sha = cli(&["SCRIPT", "LOAD", RESERVE]).await?;
    let keys = ["available", "holds", "deadlines", "customers"].map(key);
    let [available, holds, deadlines, customers] = &keys;
    let script = [
        "EVALSHA",
        sha.trim(),
        "4",
        available,
        holds,
        deadlines,
        customers,
        "__rand_int__",
        "1",
        "a",
        "60000",
        "",
        "",
        "c",
    ];
    let load = [
        "-c",
        CLIENTS,
        "-P",
        PIPELINE,
        "-n",
        RESERVATIONS,
        "-r",
        "1000000000000",
        "--csv",
    ];
    let measured = output("redis-benchmark", &[&["-u", redis], &load[..], &script].concat()).await?;
    cli(&["DEL", available, holds, deadlines, customers]).await?;
    // The last line: the command, requests per second, and six latencies, quoted.
    let line = measured.lines().last().unwrap_or_default();
    let rate = line.rsplit("\",\"").nth(6);
    rate.and_then(|text| text.trim_matches('"').parse().ok())
        .ok_or_else(|| format!("redis-benchmark said {line}").into())
}

/// Orders a second, each placed and confirmed.
async fn order(postgres: &str, seconds: u64) -> Result<f64, Failure> {
    let maintenance = format!("{postgres}/postgres");
    let scratch = format!("{postgres}/{SCRATCH}");
    let sql = async |statement: String| output("psql", &[&maintenance, "-qc", &statement]).await;
    let tables = output("pg_dump", &["--schema-only", &format!("{postgres}/{DATABASE}")]).await?;
    sql(format!("create database {SCRATCH}")).await?;
    feed("psql", &["-q", &scratch], &tables).await?;
    let seconds = seconds.to_string();
    let load = ["-n", "-c", CLIENTS, "-T", &seconds, "-M", "prepared", "-f", "-"];
    let measured = feed("pgbench", &[&load[..], &[&scratch]].concat(), ORDER).await?;
    sql(format!("drop database {SCRATCH}")).await?;
    let rate = measured
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench said {measured}").into())
}

async fn output(program: &str, args: &[&str]) -> Result<String, Failure> {
    feed(program, args, "").await
}

/// What a program writes when it is given `input`.
async fn feed(program: &str, args: &[&str], input: &str) -> Result<String, Failure> {
    let mut child = Command::new(installed(program))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    let done = child.wait_with_output().await?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{program}: {}", said.trim()).into())
}

/// Distributions keep Postgres' tools off PATH, a folder a version; the newest is taken.
fn installed(program: &str) -> PathBuf {
    let entries = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path().join("bin").join(program))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(program))
}
