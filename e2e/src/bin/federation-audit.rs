//! Runs the public federation audit against `fondaco router` and prints a table.
//!
//! `federation-audit [URL] [--compose] [--only SUITE] [--details]`; the URL may also stand in `FONDACO_AUDIT_URL`.
//! Exits 0 when all cases passed, 1 when some failed, 2 when the audit was not run.

use std::process::ExitCode;

use clap::Parser;
use fondaco_e2e::audit::{Audit, AuditError, Source, Verdict};

/// Runs the public federation audit against `fondaco router`.
#[derive(Parser)]
struct Arguments {
    /// Address of the audit's server, for example http://127.0.0.1:4200.
    #[arg(env = "FONDACO_AUDIT_URL")]
    url: Option<String>,
    /// Compose each supergraph from its subgraphs with `fondaco compose` first.
    #[arg(long)]
    compose: bool,
    /// Run only suites with this name; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Print query, expected and received answer of each failed case.
    #[arg(long)]
    details: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(url) = &arguments.url else {
        eprintln!("audit not run: no address of an audit server given (argument or FONDACO_AUDIT_URL)");
        return ExitCode::from(2);
    };
    match run(&Audit::new(url), &arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("audit not run: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(audit: &Audit, arguments: &Arguments) -> Result<bool, AuditError> {
    let source = if arguments.compose {
        Source::Composed
    } else {
        Source::Served
    };
    let mut totals = Totals::default();
    for suite in audit.suites().await? {
        if !arguments.only.is_empty() && !arguments.only.contains(&suite) {
            continue;
        }
        let verdicts = audit.run(&suite, source).await?;
        totals.add(&verdicts);
        print_suite(&suite, &verdicts, arguments.details);
    }
    totals.print();
    Ok(totals.cases > 0 && totals.passed == totals.cases)
}

fn print_suite(suite: &str, verdicts: &[Verdict], details: bool) {
    let passed = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    let dots: String = verdicts
        .iter()
        .map(|verdict| if verdict.is_ok() { '.' } else { 'X' })
        .collect();
    println!("{suite:<42} {passed:>3}/{:<3} {dots}", verdicts.len());
    if details {
        for (index, verdict) in verdicts.iter().enumerate() {
            if let Err(explanation) = verdict {
                println!("\n--- {suite} case {index}\n{explanation}\n");
            }
        }
    }
}

#[derive(Default)]
struct Totals {
    suites: usize,
    suites_passed: usize,
    cases: usize,
    passed: usize,
}

impl Totals {
    fn add(&mut self, verdicts: &[Verdict]) {
        let passed = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        self.suites += 1;
        self.suites_passed += usize::from(passed == verdicts.len());
        self.cases += verdicts.len();
        self.passed += passed;
    }

    fn print(&self) {
        println!("\nsuites {}/{} passed", self.suites_passed, self.suites);
        println!("cases  {}/{} passed", self.passed, self.cases);
    }
}
