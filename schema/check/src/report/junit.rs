//! JUnit XML: each finding is a test, and an error is a failed one.

use std::fmt::Write as _;

use crate::finding::{Finding, Report, Severity};

/// One suite. Without findings it holds one test that passed, for readers that refuse empty suites.
pub(super) fn write(report: &Report) -> String {
    let failures = report.count(Severity::Error);
    let tests = report.findings.len().max(1);
    let name = format!("fondaco {}", report.tool);
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failures}\">\n  \
         <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\">\n"
    );
    if report.findings.is_empty() {
        let _ = writeln!(xml, "    <testcase classname=\"{name}\" name=\"nothing found\"/>");
    }
    for finding in &report.findings {
        xml += &case(finding, &name);
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

fn case(finding: &Finding, suite: &str) -> String {
    let place = finding.place.as_ref();
    let place = place
        .map(|place| format!("{}:{}:{}", place.file, place.line, place.column))
        .unwrap_or_default();
    let about = finding.coordinate.as_deref().unwrap_or(&place);
    let title = escape(&format!("{} {about}", finding.rule));
    let head = format!("    <testcase classname=\"{suite}\" name=\"{title}\"");
    let text = escape(&format!("{}\n{place}\n{}", finding.message, finding.why));
    if finding.severity == Severity::Error {
        let (kind, message) = (escape(finding.level), escape(&finding.message));
        format!(
            "{head}>\n      <failure type=\"{kind}\" message=\"{message}\">{text}</failure>\n    </testcase>\n"
        )
    } else {
        let level = escape(finding.level);
        format!("{head}>\n      <system-out>{level}: {text}</system-out>\n    </testcase>\n")
    }
}

/// Escapes text for attributes and elements; control characters, which XML cannot hold, become blanks.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' => escaped += "&#10;",
            '\t' => escaped.push('\t'),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
