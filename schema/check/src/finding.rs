//! What is reported: one finding, whichever tool found it.

use fondaco_composition::Diagnostic;
use serde::Serialize;

use crate::place::Place;
use crate::plans::PlanSize;
use crate::rule::Level;
use crate::settings::FailOn;
use crate::usage::Evidence;

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fails the run.
    Error,
    /// Wants a look.
    Warning,
    /// For information.
    Note,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Name of the rule.
    pub rule: &'static str,
    /// `breaking`, `dangerous`, `safe-by-usage` or `safe`; of lint and composition, the severity.
    pub level: &'static str,
    /// How it counts.
    pub severity: Severity,
    /// The element, as a schema coordinate; absent for composition errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordinate: Option<String>,
    /// What was found, in words.
    pub message: String,
    /// Why that matters.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub why: &'static str,
    /// The subgraph, where one comes into question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subgraph: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Who is affected, where operations were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Evidence>,
    /// The plans compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanPair>,
}

/// A plan before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanPair {
    /// Before.
    pub before: PlanSize,
    /// After.
    pub after: PlanSize,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Breaking => Self::Error,
            Level::Dangerous => Self::Warning,
            Level::SafeByUsage | Level::Safe => Self::Note,
        }
    }
}

impl From<&Diagnostic> for Finding {
    fn from(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic
            .file
            .as_ref()
            .or(diagnostic.subgraph.as_ref())
            .map(|file| Place {
                file: file.clone(),
                line: diagnostic.line.unwrap_or(1),
                column: diagnostic.column.unwrap_or(1),
            });
        Self {
            rule: diagnostic.code.as_str(),
            level: "error",
            severity: Severity::Error,
            coordinate: None,
            message: diagnostic.message.clone(),
            why: "",
            subgraph: diagnostic.subgraph.clone(),
            place,
            usage: None,
            plan: None,
        }
    }
}

/// Everything found, in the order it is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was run, for the heading: `check`, `lint`.
    pub tool: &'static str,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings have that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Whether the findings fail what was run.
    pub fn fails(&self, fail_on: Option<FailOn>) -> bool {
        let least = match fail_on.unwrap_or_default() {
            FailOn::Breaking => Severity::Error,
            FailOn::Dangerous => Severity::Warning,
        };
        self.findings.iter().any(|finding| finding.severity <= least)
    }

    /// A report of composition errors.
    pub fn of_diagnostics(diagnostics: &[Diagnostic]) -> Self {
        Self {
            tool: "compose",
            findings: diagnostics.iter().map(Finding::from).collect(),
        }
    }
}
