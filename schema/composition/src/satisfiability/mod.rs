//! Satisfiability: every query the supergraph offers must be resolvable by its subgraphs.
//!
//! A breadth-first walk over states: a supergraph type together with every place (subgraph and type) where an entity
//! met on the way can be, the contexts set on the way, and the override labels decided on the way. The first query to
//! reach a field that no place resolves is therefore a shortest one.

mod contexts;
mod explain;
mod labels;
mod places;
mod resolve;
mod runtime_types;
mod satisfies;
mod walk;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Hint};
use crate::merge::{Member, Supergraph};
use resolve::Resolver;
use walk::Walk;

/// How many places of all states together are looked at before the check gives up: what other composers allow, and far
/// more than any graph of this world needs.
const MOST_PLACES: usize = 1_000_000;

/// Every shortest query that cannot be resolved, one a field; and hints.
pub(crate) fn check_satisfiability(
    supergraph: &Supergraph,
    members: &[Member],
) -> (Vec<Diagnostic>, Vec<Hint>) {
    check_with_limit(supergraph, members, MOST_PLACES)
}

fn check_with_limit(
    supergraph: &Supergraph,
    members: &[Member],
    most_places: usize,
) -> (Vec<Diagnostic>, Vec<Hint>) {
    let mut resolver = Resolver::new(supergraph, members);
    let mut walk = Walk::new(most_places);
    walk.enter_roots(&mut resolver);
    walk.run(&mut resolver);
    let mut errors = walk.errors;
    if walk.exceeded {
        let subgraph = &members[0].subgraph;
        let message = format!("more than {most_places} places were met on the ways queries can take");
        let code = Code::MaxValidationSubgraphPathsExceeded;
        errors.push(subgraph.error(code, subgraph.schema.span, message));
    }
    (errors, walk.hints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SubgraphSource, ingest_all, merge::merge};

    /// A chain of types in one subgraph: each is one state with one place.
    fn chain(length: usize) -> Vec<Member> {
        let types: String = (0..length)
            .map(|index| format!("type T{index} {{ next: T{} }}\n", (index + 1) % length))
            .collect();
        let source = SubgraphSource {
            name: "a".to_owned(),
            url: String::new(),
            sdl: format!("type Query {{ first: T0 }}\n{types}"),
            file: None,
        };
        ingest_all(vec![source]).unwrap()
    }

    fn codes(length: usize, most_places: usize) -> Vec<Code> {
        let members = chain(length);
        let (supergraph, errors, _) = merge(&members);
        assert!(errors.is_empty());
        let (errors, _) = check_with_limit(&supergraph, &members, most_places);
        errors.iter().map(|error| error.code).collect()
    }

    #[test]
    fn more_places_than_the_limit_are_refused() {
        assert_eq!(codes(10, 11), []);
        assert_eq!(codes(10, 10), [Code::MaxValidationSubgraphPathsExceeded]);
    }
}
