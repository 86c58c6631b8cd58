//! The subgraphs themselves, and where the router reaches them.

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Subgraphs that came, went or moved to another address.
pub(crate) fn compare(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (
        sides.before.supergraph.subgraphs(),
        sides.after.supergraph.subgraphs(),
    );
    let mut push = |rule, name: &str, message: String| {
        changes.push(Change::new(
            rule,
            Coordinate::Subgraph(name.to_owned()),
            message,
            Affects::Unknown,
        ));
    };
    for subgraph in old {
        let name = &*subgraph.name;
        match new.iter().find(|candidate| candidate.name == subgraph.name) {
            None => push(
                Rule::SubgraphRemoved,
                name,
                format!("Subgraph {name} was removed"),
            ),
            Some(now) if now.url != subgraph.url => {
                let message = format!(
                    "Subgraph {name} is reached at {} instead of {}",
                    now.url, subgraph.url
                );
                push(Rule::SubgraphUrlChanged, name, message);
            }
            Some(_) => {}
        }
    }
    for subgraph in new
        .iter()
        .filter(|subgraph| !old.iter().any(|old| old.name == subgraph.name))
    {
        push(
            Rule::SubgraphAdded,
            &subgraph.name,
            format!("Subgraph {} was added", subgraph.name),
        );
    }
}
