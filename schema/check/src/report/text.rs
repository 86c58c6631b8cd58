//! Reports for people.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::excerpt::{GREEN, RED, Sources, YELLOW, paint};
use crate::finding::{Finding, Report, Severity};
use crate::report::Style;
use crate::usage::Evidence;

/// Findings with their places and evidence, then the numbers.
pub(super) fn write(report: &Report, style: &Style, sources: &mut Sources) -> String {
    let mut text = String::new();
    let mut hidden = 0;
    for finding in &report.findings {
        if finding.severity == Severity::Note && finding.level == "safe" && !style.all {
            hidden += 1;
        } else {
            text += &one(finding, style, sources);
        }
    }
    text + &summary(report, hidden)
}

fn one(finding: &Finding, style: &Style, sources: &mut Sources) -> String {
    let code = match finding.severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => GREEN,
    };
    let mut text = format!(
        "{} {}: {}\n",
        paint(finding.level, code, style.colour),
        finding.rule,
        printable(&finding.message)
    );
    if let Some(place) = &finding.place {
        let file = printable(&place.file);
        let _ = writeln!(text, "  at {file}:{}:{}", place.line, place.column);
        text += &sources.excerpt(place, style.colour);
    }
    if !finding.why.is_empty() && finding.severity != Severity::Note {
        let _ = writeln!(text, "  {}", finding.why);
    }
    if let Some(evidence) = &finding.usage {
        text += &usage(evidence);
    }
    text + "\n"
}

fn usage(evidence: &Evidence) -> String {
    let mut text = String::new();
    if evidence.operations == 0 && evidence.committed.is_empty() {
        return "  no counted operation is affected\n".to_owned();
    }
    if evidence.operations > 0 {
        let last = evidence.last_seen.as_deref().unwrap_or("never");
        let _ = writeln!(
            text,
            "  used by {} recorded, {} requests ({} %), last {last}",
            counted(evidence.operations, "operation", "operations"),
            evidence.requests,
            evidence.share
        );
        for operation in &evidence.top_operations {
            let _ = writeln!(
                text,
                "    operation {}: {} requests",
                operation.name, operation.requests
            );
        }
        for client in &evidence.top_clients {
            let _ = writeln!(
                text,
                "    client {}: {} requests, last {}",
                printable(&client.client),
                client.requests,
                client.last_seen
            );
        }
    }
    for committed in &evidence.committed {
        let _ = writeln!(
            text,
            "  used by {} at {}:{}",
            committed.name,
            printable(&committed.place.file),
            committed.place.line
        );
    }
    text
}

/// Control characters would act on the terminal: they are written as escapes.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::new();
    for c in text.chars() {
        if c.is_control() {
            printable.extend(c.escape_default());
        } else {
            printable.push(c);
        }
    }
    Cow::Owned(printable)
}

fn summary(report: &Report, hidden: usize) -> String {
    if report.tool == "check" {
        let level = |name: &str| {
            report
                .findings
                .iter()
                .filter(|finding| finding.level == name)
                .count()
        };
        let mut line = format!(
            "check: {} breaking, {} dangerous, {} safe by usage, {} safe",
            level("breaking"),
            level("dangerous"),
            level("safe-by-usage"),
            level("safe")
        );
        if hidden > 0 {
            line += " (listed with --all)";
        }
        return line + "\n";
    }
    let errors = counted(report.count(Severity::Error), "error", "errors");
    let warnings = counted(report.count(Severity::Warning), "warning", "warnings");
    format!("{}: {errors}, {warnings}\n", report.tool)
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
