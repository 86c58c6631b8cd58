//! Members of unions.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexSet;
use apollo_compiler::schema::ComponentName;

use crate::change::{Affects, Change};
use crate::coordinate::Coordinate;
use crate::diff::Sides;
use crate::rule::Rule;

/// Members that came or went.
pub(crate) fn compare(
    _: &Sides<'_>,
    ty: &Name,
    old: &IndexSet<ComponentName>,
    new: &IndexSet<ComponentName>,
    changes: &mut Vec<Change>,
) {
    let coordinate = || Coordinate::Type(ty.clone());
    for member in old.difference(new) {
        let message = format!("Member {member} was removed from union {ty}");
        let affects = Affects::Both(ty.clone(), member.name.clone());
        changes.push(Change::new(
            Rule::UnionMemberRemoved,
            coordinate(),
            message,
            affects,
        ));
    }
    for member in new.difference(old) {
        let message = format!("Member {member} was added to union {ty}");
        changes.push(Change::new(
            Rule::UnionMemberAdded,
            coordinate(),
            message,
            Affects::Returned(ty.clone()),
        ));
    }
}
