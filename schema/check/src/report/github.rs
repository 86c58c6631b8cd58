//! Workflow commands: GitHub shows them beside the changed lines.

use crate::finding::{Finding, Report, Severity};

/// One command a line. Safe changes are left out: an annotation asks for attention.
pub(super) fn write(report: &Report) -> String {
    report
        .findings
        .iter()
        .filter(|finding| finding.level != "safe")
        .map(command)
        .collect()
}

fn command(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(place) = &finding.place {
        properties.push(format!("file={}", property(&place.file)));
        properties.push(format!("line={}", place.line));
        properties.push(format!("col={}", place.column));
    }
    properties.push(format!(
        "title={}",
        property(&format!("{} ({})", finding.rule, finding.level))
    ));
    format!("::{kind} {}::{}\n", properties.join(","), data(&message(finding)))
}

fn message(finding: &Finding) -> String {
    let mut message = finding.message.clone();
    if !finding.why.is_empty() {
        message = format!("{message}. {}", finding.why);
    }
    if let Some(evidence) = finding.usage.as_ref().filter(|evidence| evidence.operations > 0) {
        let clients: Vec<&str> = evidence
            .top_clients
            .iter()
            .map(|client| client.client.as_str())
            .collect();
        message = format!(
            "{message} Recorded operations affected: {} ({} requests; clients {}).",
            evidence.operations,
            evidence.requests,
            clients.join(", ")
        );
    }
    message
}

/// Escapes the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
