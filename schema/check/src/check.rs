//! The check itself: differences, judged by usage and plans, as a report.

use crate::change::Change;
use crate::diff::differences;
use crate::finding::{Finding, PlanPair, Report, Severity};
use crate::graph::Graph;
use crate::judge::{Judge, Judged};
use crate::operations::{Operation, Origin};
use crate::place::{Place, Places};
use crate::plans::PlanChange;
use crate::rule::{Level, Rule};
use crate::settings::CheckSettings;
use crate::usage::Usage;

/// The operations to judge by.
#[derive(Debug, Default)]
pub struct Evidenced {
    /// Recorded and committed operations.
    pub operations: Vec<Operation>,
}

impl Evidenced {
    /// Whether anything was recorded: a log that holds nothing is no evidence that nobody is affected.
    pub fn is_recorded(&self) -> bool {
        let is_recorded = |operation: &Operation| matches!(operation.origin, Origin::Recorded(_));
        self.operations.iter().any(is_recorded)
    }
}

/// Compares two graphs: every change with its level, every operation that is no longer valid, every plan that became worse.
pub fn check(before: &Graph, after: &Graph, evidenced: &Evidenced, settings: &CheckSettings) -> Report {
    let changes = differences(before, after);
    let judged = Judge::new(before, after).all(&evidenced.operations);
    let usage = Usage::of(&judged, evidenced.is_recorded(), &settings.usage);
    let reporter = Reporter {
        before,
        after,
        usage: &usage,
        settings,
    };
    let mut findings: Vec<Finding> = changes
        .iter()
        .filter_map(|change| reporter.change(change))
        .collect();
    for (index, judged) in judged
        .iter()
        .enumerate()
        .filter(|(index, _)| usage.counts(*index))
    {
        findings.extend(reporter.validity(index, judged));
        findings.extend(
            judged
                .plans
                .iter()
                .filter_map(|plan| reporter.plan(index, judged, plan)),
        );
    }
    findings.sort_by_key(|finding| finding.severity);
    Report {
        tool: "check",
        findings,
    }
}

struct Reporter<'a> {
    before: &'a Graph,
    after: &'a Graph,
    usage: &'a Usage<'a>,
    settings: &'a CheckSettings,
}

impl Reporter<'_> {
    fn change(&self, change: &Change) -> Option<Finding> {
        let mut level = self.settings.level_of(change.rule)?;
        let mut usage = None;
        if matches!(level, Level::Breaking | Level::Dangerous) {
            usage = self.usage.evidence(&change.affects);
            if usage.as_ref().is_some_and(|evidence| self.usage.clears(evidence)) {
                level = Level::SafeByUsage;
            }
        }
        let subgraph = change.subgraph.as_deref();
        let place = Places::of_change(
            &self.before.places,
            &self.after.places,
            &change.coordinate,
            subgraph,
        );
        Some(Finding {
            coordinate: Some(change.coordinate.to_string()),
            message: change.message.clone(),
            subgraph: change.subgraph.clone(),
            place,
            usage,
            ..finding(change.rule, level)
        })
    }

    /// The finding about an operation that is not valid. One that was not valid before is none of this change's doing.
    fn validity(&self, index: usize, judged: &Judged<'_>) -> Option<Finding> {
        let problem = judged.invalid.as_ref()?;
        let was_valid = judged.facts.is_some();
        if !was_valid && matches!(judged.operation.origin, Origin::Recorded(_)) {
            return None;
        }
        let configured = self.settings.level_of(Rule::OperationInvalid)?;
        let level = if was_valid {
            configured
        } else {
            configured.max(Level::Dangerous)
        };
        let already = if was_valid { "" } else { ", as before" };
        Some(Finding {
            coordinate: Some(format!("operation {}", judged.operation.name)),
            message: format!(
                "Operation {} is not valid{already}: {problem}",
                judged.operation.name
            ),
            place: place_of(judged.operation),
            usage: Some(self.usage.evidence_of(&[index])),
            ..finding(Rule::OperationInvalid, level)
        })
    }

    fn plan(&self, index: usize, judged: &Judged<'_>, plan: &PlanChange) -> Option<Finding> {
        let extra = plan.after.fetches.saturating_sub(plan.before.fetches);
        let is_too_much = self.settings.max_extra_fetches.is_some_and(|most| extra > most);
        let rule = if is_too_much {
            Rule::PlanWorsened
        } else {
            Rule::PlanChanged
        };
        let level = self.settings.level_of(rule)?;
        let (before, after) = (plan.before, plan.after);
        let message = format!(
            "Operation {} needs {} in {} with {} instead of {} in {} with {}",
            plan.operation,
            counted(after.fetches, "fetch", "fetches"),
            counted(after.waves, "wave", "waves"),
            counted(after.cost, "field", "fields"),
            before.fetches,
            before.waves,
            before.cost,
        );
        Some(Finding {
            coordinate: Some(format!("operation {}", plan.operation)),
            message,
            place: place_of(judged.operation),
            usage: Some(self.usage.evidence_of(&[index])),
            plan: Some(PlanPair { before, after }),
            ..finding(rule, level)
        })
    }
}

fn finding(rule: Rule, level: Level) -> Finding {
    Finding {
        rule: rule.as_str(),
        level: level.as_str(),
        severity: Severity::from(level),
        coordinate: None,
        message: String::new(),
        why: rule.why(),
        subgraph: None,
        place: None,
        usage: None,
        plan: None,
    }
}

fn place_of(operation: &Operation) -> Option<Place> {
    match &operation.origin {
        Origin::Committed(place) => Some(place.clone()),
        Origin::Recorded(_) => None,
    }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
