//! Which progressive `@override`s are in force for one plan.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The active labels of progressive `@override`s. Plans made for different sets may differ, so those that a plan met belong
/// to the key under which it is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct OverrideLabels(BTreeSet<Arc<str>>);

impl OverrideLabels {
    /// Whether the field is resolved where it moves to. `percent(100)` always is, without being listed.
    pub fn is_active(&self, label: &str) -> bool {
        label == "percent(100)" || self.0.contains(label)
    }

    /// Those of the labels that are among `these`.
    pub fn among(&self, these: &BTreeSet<Arc<str>>) -> OverrideLabels {
        OverrideLabels(self.0.intersection(these).cloned().collect())
    }

    /// Whether no label is active.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The active labels, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|label| &**label)
    }
}

impl FromIterator<Arc<str>> for OverrideLabels {
    fn from_iter<T: IntoIterator<Item = Arc<str>>>(labels: T) -> Self {
        OverrideLabels(labels.into_iter().collect())
    }
}
