//! Which interfaces a type implements.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexSet;
use apollo_compiler::schema::ComponentName;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::rule::Rule;

/// Interfaces that a type gained or lost.
pub(crate) fn compare(
    ty: &Name,
    old: &IndexSet<ComponentName>,
    new: &IndexSet<ComponentName>,
    changes: &mut Vec<Change>,
) {
    let coordinate = || Coordinate::Type(ty.clone());
    for interface in old.difference(new) {
        let message = format!("{ty} no longer implements {interface}");
        let affects = Affects::Both(interface.name.clone(), ty.clone());
        changes.push(Change::new(
            Rule::InterfaceRemoved,
            coordinate(),
            message,
            affects,
        ));
    }
    for interface in new.difference(old) {
        let message = format!("{ty} implements {interface}");
        let affects = Affects::Returned(interface.name.clone());
        changes.push(Change::new(Rule::InterfaceAdded, coordinate(), message, affects));
    }
}
