//! Runtime types of one position that are solved alike: written once, so that types do not multiply at every level.

use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::Name;

use crate::position::{Hop, Input, Selected, Solved};

/// The types of each solution, in the order in which the first of them comes.
pub(crate) fn groups(variants: &[(Name, Rc<Solved>)]) -> Vec<(Vec<Name>, &Solved)> {
    let mut groups: Vec<(Vec<Name>, &Solved)> = Vec::new();
    for (object, solved) in variants {
        let alike = |group: &&mut (Vec<Name>, &Solved)| is_alike((&group.0[0], group.1), (object, solved));
        match groups.iter_mut().find(alike) {
            Some((objects, _)) => objects.push(object.clone()),
            None => groups.push((vec![object.clone()], solved)),
        }
    }
    groups
}

/// Whether two types are solved alike, but for their names.
fn is_alike(a: (&Name, &Solved), b: (&Name, &Solved)) -> bool {
    let ((_, of_a), (_, of_b)) = (a, b);
    let hops = || {
        let mut pairs = of_a.hops.iter().zip(&of_b.hops);
        pairs.all(|(hop_a, hop_b)| is_same_hop((a.0, hop_a), (b.0, hop_b)))
    };
    of_a.typename == of_b.typename
        && of_a.variants.is_empty()
        && of_b.variants.is_empty()
        && is_same_selection(&of_a.inline, &of_b.inline)
        && of_a.hops.len() == of_b.hops.len()
        && hops()
}

/// Whether both look their objects up alike. Contexts are filled for one request at a time.
fn is_same_hop((object_a, a): (&Name, &Hop), (object_b, b): (&Name, &Hop)) -> bool {
    let own_names = a.typename == *object_a && b.typename == *object_b;
    let same_name = a.typename == b.typename && a.typename != *object_a && b.typename != *object_b;
    (own_names || same_name)
        && a.subgraph == b.subgraph
        && a.wave == b.wave
        && a.needs == b.needs
        && a.conditions == b.conditions
        && a.contexts.is_empty()
        && b.contexts.is_empty()
        && a.resolved.is_none()
        && b.resolved.is_none()
        && a.inputs.len() == b.inputs.len()
        && a.inputs.iter().zip(&b.inputs).all(|(a, b)| is_same_input(a, b))
        && is_same_selection(&a.selected, &b.selected)
}

fn is_same_input(a: &Input, b: &Input) -> bool {
    a.is_key == b.is_key && (Arc::ptr_eq(&a.field, &b.field) || a.field == b.field)
}

fn is_same_selection(a: &[Selected], b: &[Selected]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_field(a, b))
}

/// What is below is solved once for equal selections, so it is enough to compare where it is.
fn is_same_field(a: &Selected, b: &Selected) -> bool {
    let same_below = match (&a.below, &b.below) {
        (None, None) => true,
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        _ => false,
    };
    same_below && a.ty == b.ty && (Arc::ptr_eq(&a.field, &b.field) || a.field == b.field)
}
