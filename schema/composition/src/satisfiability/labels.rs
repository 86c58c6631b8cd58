//! Choices of progressive overrides: a query is resolved under some choice of every label it meets.

/// The labels decided so far, by index, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Choices(Vec<(usize, bool)>);

impl Choices {
    pub(super) fn of(&self, label: usize) -> Option<bool> {
        let decided = self.0.iter().find(|(known, _)| *known == label);
        decided.map(|(_, on)| *on)
    }

    pub(super) fn with(&self, label: usize, on: bool) -> Self {
        let mut choices = self.0.clone();
        choices.push((label, on));
        choices.sort_unstable();
        Self(choices)
    }

    /// Whether everything possible under `other` is possible under these, which leave at least as much open.
    pub(super) fn cover(&self, other: &Self) -> bool {
        self.0.iter().all(|(label, on)| other.of(*label) == Some(*on))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, bool)> {
        self.0.iter().copied()
    }
}
