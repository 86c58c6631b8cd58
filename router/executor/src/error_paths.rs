//! Which response fields the errors so far explain, so that a null they caused is not reported twice.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashSet;

use crate::response::{GraphqlError, PathElement};

/// Paths of errors, as hashes of their prefixes.
#[derive(Debug)]
pub(crate) struct ErrorPaths {
    /// Errors of execution, at exact places.
    exact: Prefixes,
    /// Errors from before execution, whose paths name no list indexes.
    anywhere: Prefixes,
}

#[derive(Debug, Default)]
struct Prefixes {
    whole: FxHashSet<u64>,
    every: FxHashSet<u64>,
}

impl ErrorPaths {
    /// Paths of `errors`, of which the first `initial` were found before execution.
    pub(crate) fn new(errors: &[GraphqlError], initial: usize) -> Self {
        let (before, during) = errors.split_at(initial);
        Self {
            exact: Prefixes::new(during.iter().map(|error| error.path.iter().collect())),
            anywhere: Prefixes::new(before.iter().map(|error| keys(&error.path))),
        }
    }

    /// True where an error lies at the path, above it or below it.
    pub(crate) fn covers(&self, path: &[PathElement]) -> bool {
        self.exact.touch(path.iter()) || self.anywhere.touch(keys(path).into_iter())
    }
}

impl Prefixes {
    fn new<'e>(paths: impl Iterator<Item = Vec<&'e PathElement>>) -> Self {
        let mut prefixes = Self::default();
        for path in paths {
            let hashes = prefix_hashes(path.into_iter());
            prefixes.whole.extend(hashes.last());
            prefixes.every.extend(hashes);
        }
        prefixes
    }

    fn touch<'e>(&self, path: impl Iterator<Item = &'e PathElement>) -> bool {
        let hashes = prefix_hashes(path);
        hashes.last().is_some_and(|hash| self.every.contains(hash))
            || hashes.iter().any(|hash| self.whole.contains(hash))
    }
}

fn keys(path: &[PathElement]) -> Vec<&PathElement> {
    path.iter()
        .filter(|element| matches!(element, PathElement::Key(_)))
        .collect()
}

/// Hashes of the prefixes of a path, shortest first, without the empty one.
fn prefix_hashes<'e>(path: impl Iterator<Item = &'e PathElement>) -> Vec<u64> {
    let mut hasher = DefaultHasher::new();
    path.map(|element| {
        element.hash(&mut hasher);
        hasher.finish()
    })
    .collect()
}
