//! SARIF 2.1.0 (OASIS), which code scanning tools read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::finding::{Finding, Report, Severity};

/// A log with one run.
pub(super) fn write(report: &Report) -> String {
    // The rules in order of name; results refer to them by index.
    let rules: BTreeMap<&str, &Finding> = report
        .findings
        .iter()
        .map(|finding| (finding.rule, finding))
        .collect();
    let indices: BTreeMap<&str, usize> = rules
        .keys()
        .enumerate()
        .map(|(index, rule)| (*rule, index))
        .collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, &indices))
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "fondaco",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": format!("fondaco/{}/", report.tool) },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).expect("a log is JSON") + "\n"
}

fn rule(finding: &Finding) -> Value {
    let text = if finding.why.is_empty() {
        finding.rule
    } else {
        finding.why
    };
    json!({
        "id": finding.rule,
        "shortDescription": { "text": finding.rule },
        "fullDescription": { "text": text },
    })
}

fn result(finding: &Finding, indices: &BTreeMap<&str, usize>) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": indices[finding.rule],
        "level": level,
        "message": { "text": finding.message },
        "properties": { "level": finding.level },
    });
    let mut location = json!({});
    if let Some(place) = &finding.place {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&place.file) },
            "region": { "startLine": place.line, "startColumn": place.column },
        });
    }
    if let Some(coordinate) = &finding.coordinate {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": coordinate }]);
    }
    if location != json!({}) {
        result["locations"] = json!([location]);
    }
    if let Some(usage) = &finding.usage {
        result["properties"]["usage"] = json!(usage);
    }
    result
}

/// A file name as a relative reference (RFC 3986): what may not stand in one is percent-encoded.
fn uri(file: &str) -> String {
    let mut uri = String::new();
    for byte in file.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}
