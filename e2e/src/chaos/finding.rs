//! What a scenario found: a row of the report.

use std::time::Duration;

/// What was done, and what came of it.
#[derive(Debug, Default)]
pub struct Finding {
    /// The faults, in words.
    pub done: String,
    /// Purchases whose buyers were told that they are paid.
    pub acknowledged: usize,
    /// Units that orders have which are paid and not cancelled.
    pub sold: u64,
    /// Units sold above what there was.
    pub oversold: u64,
    /// Units that nobody could buy although they were there.
    pub undersold: u64,
    /// Acknowledged orders that were cancelled and paid back because their stock was lost.
    pub lost_stock: usize,
    /// Whether `fondaco reconcile` found the books balanced; none where it was not asked.
    pub balanced: Option<bool>,
    /// From the end of the last fault until somebody could buy.
    pub recovery: Option<Duration>,
    /// What else was measured, in words.
    pub figures: Vec<String>,
    /// What must not be.
    pub problems: Vec<String>,
    /// Books that do not balance, and warnings of all programs, where there are problems.
    pub log: String,
}

impl Finding {
    /// Notes what must not be.
    pub fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    /// Notes a measure.
    pub fn figure(&mut self, figure: impl Into<String>) {
        self.figures.push(figure.into());
    }

    /// Notes `problem` unless `holds`.
    pub fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }

    /// The cells of the report's table, in the order of [`HEADINGS`].
    pub fn cells(&self) -> [String; 8] {
        let balanced = match self.balanced {
            Some(true) => "balanced",
            Some(false) => "NOT BALANCED",
            None => "-",
        };
        let recovery = self
            .recovery
            .map_or("-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
        [
            self.done.clone(),
            self.acknowledged.to_string(),
            self.sold.to_string(),
            self.oversold.to_string(),
            self.undersold.to_string(),
            balanced.to_owned(),
            recovery,
            self.figures.join("; "),
        ]
    }
}

/// The headings of [`Finding::cells`].
pub const HEADINGS: [&str; 8] = [
    "what was done",
    "acknowledged",
    "sold",
    "oversold",
    "undersold",
    "reconcile",
    "recovered in",
    "figures",
];
