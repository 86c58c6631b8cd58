//! The limit on what planning one operation may cost: counted, not timed, so that it refuses the same operations everywhere.

use std::cell::Cell;

/// Steps taken so far, and what refuses to go on.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    spent: Cell<usize>,
    limit: usize,
    depth: Cell<usize>,
    max_depth: usize,
    too_deep: Cell<bool>,
}

impl Work {
    pub(crate) fn new(limit: usize, max_depth: usize) -> Work {
        Work {
            spent: Cell::new(0),
            limit,
            depth: Cell::new(0),
            max_depth,
            too_deep: Cell::new(false),
        }
    }

    /// Counts `steps` fields or drafts looked at.
    pub(crate) fn spend(&self, steps: usize) {
        self.spent.set(self.spent.get().saturating_add(steps));
    }

    /// Enters a nested selection set; false where that is too deep.
    pub(crate) fn enter(&self) -> bool {
        self.depth.set(self.depth.get() + 1);
        if self.depth.get() > self.max_depth {
            self.too_deep.set(true);
        }
        !self.too_deep.get()
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    pub(crate) fn is_too_deep(&self) -> bool {
        self.too_deep.get()
    }

    /// True once a limit is passed: everything then ends as soon as it can, and its result is thrown away.
    pub(crate) fn is_refused(&self) -> bool {
        self.spent.get() > self.limit || self.too_deep.get()
    }
}
