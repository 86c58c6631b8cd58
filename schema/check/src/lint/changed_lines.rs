//! Which lines of a subgraph's file are new or different.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use crate::lint::Scope;
use crate::place::SubgraphDocument;

/// Numbers of the changed lines, from 1; none where all lines count.
pub(crate) fn of(subgraph: &SubgraphDocument, now: &str, scope: &Scope<'_>) -> Option<BTreeSet<usize>> {
    let Scope::ChangedSince(before) = scope else {
        return None;
    };
    // A subgraph that was not there before is new as a whole.
    let before = before.iter().find(|source| source.name == subgraph.name)?;
    // Git may give the lines of a working copy other ends than those of a commit.
    let (before, now) = (before.sdl.replace("\r\n", "\n"), now.replace("\r\n", "\n"));
    let diff = TextDiff::from_lines(before.as_str(), now.as_str());
    let inserted = diff
        .iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Insert);
    Some(
        inserted
            .filter_map(|change| Some(change.new_index()? + 1))
            .collect(),
    )
}
