//! Lint: conventions of the subgraphs' schemas, one file a topic.
//!
//! - `rule`: the table
//! - `naming`, `descriptions`, `deprecation`, `connections`, `lists`, `entities`, `unused`, `mutations`: the rules
//! - `changed_lines`, `suppressions`: what is left out

mod changed_lines;
mod connections;
mod deprecation;
mod descriptions;
mod entities;
mod lists;
mod mutations;
mod naming;
mod rule;
mod suppressions;
mod unused;

use apollo_compiler::parser::SourceSpan;
use fondaco_composition::SubgraphSource;

use crate::coordinate::Coordinate;
use crate::finding::{Finding, Report, Severity};
use crate::graph::Graph;
use crate::place::SubgraphDocument;
use crate::settings::{LintSettings, LintSeverity};

pub use rule::LintRule;

/// Which lines are looked at.
#[derive(Debug)]
pub enum Scope<'a> {
    /// All.
    Everything,
    /// Those that differ from these earlier sources.
    ChangedSince(&'a [SubgraphSource]),
}

/// A breach of a rule.
pub(crate) struct Breach {
    rule: LintRule,
    coordinate: Coordinate,
    span: Option<SourceSpan>,
    message: String,
}

/// One subgraph, and the graph it is part of.
pub(crate) struct Linted<'a> {
    graph: &'a Graph,
    subgraph: &'a SubgraphDocument,
}

/// Looks for breaches in every subgraph of the graph.
pub fn lint(graph: &Graph, scope: &Scope<'_>, settings: &LintSettings) -> Report {
    let mut findings = Vec::new();
    let used = unused::references(graph);
    for subgraph in graph.places.subgraphs() {
        let linted = Linted { graph, subgraph };
        let mut breaches = Vec::new();
        for rule in [
            naming::look,
            descriptions::look,
            deprecation::look,
            connections::look,
            lists::look,
            entities::look,
            mutations::look,
        ] {
            rule(&linted, &mut breaches);
        }
        unused::look(&linted, &used, &mut breaches);
        let source = graph.sources.iter().find(|source| source.name == subgraph.name);
        let text = source.map_or("", |source| source.sdl.as_str());
        let suppressions = suppressions::Suppressions::of(text);
        let changed = changed_lines::of(subgraph, text, scope);
        let reported = breaches
            .into_iter()
            .filter_map(|breach| linted.finding(breach, settings));
        findings.extend(reported.filter(|(line, rule, _)| {
            changed.as_ref().is_none_or(|changed| changed.contains(line)) && !suppressions.cover(*line, *rule)
        }));
    }
    let mut findings: Vec<Finding> = findings.into_iter().map(|(_, _, finding)| finding).collect();
    findings.sort_by(|a, b| (&a.place, a.rule, &a.coordinate).cmp(&(&b.place, b.rule, &b.coordinate)));
    Report {
        tool: "lint",
        findings,
    }
}

impl Linted<'_> {
    fn finding(&self, breach: Breach, settings: &LintSettings) -> Option<(usize, LintRule, Finding)> {
        let severity = match settings.rules.get(breach.rule.as_str()) {
            None => breach.rule.default_severity(),
            Some(LintSeverity::Error) => Severity::Error,
            Some(LintSeverity::Warning) => Severity::Warning,
            Some(LintSeverity::Off) => return None,
        };
        let place = self.subgraph.place(breach.span);
        let finding = Finding {
            rule: breach.rule.as_str(),
            level: if severity == Severity::Error {
                "error"
            } else {
                "warning"
            },
            severity,
            coordinate: Some(breach.coordinate.to_string()),
            message: breach.message,
            why: breach.rule.why(),
            subgraph: Some(self.subgraph.name.clone()),
            place: Some(place.clone()),
            usage: None,
            plan: None,
        };
        Some((place.line, breach.rule, finding))
    }
}
