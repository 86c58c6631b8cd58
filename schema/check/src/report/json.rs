//! Reports for programs.

use serde::Serialize;

use crate::finding::{Finding, Report, Severity};

#[derive(Serialize)]
struct Document<'a> {
    tool: &'a str,
    summary: Summary,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
}

/// One object: the tool, how many findings of which severity, the findings.
pub(super) fn write(report: &Report) -> String {
    let summary = Summary {
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
    };
    let document = Document {
        tool: report.tool,
        summary,
        findings: &report.findings,
    };
    serde_json::to_string_pretty(&document).expect("findings are JSON") + "\n"
}
