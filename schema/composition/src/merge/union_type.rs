//! Unions: the members of all declarations.

use super::{Merger, Source};
use crate::code::HintCode;
use crate::join;
use crate::model::TypeDef;

impl<'a> Merger<'a> {
    pub(super) fn merge_members(&mut self, sources: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        for (index, ty) in sources {
            for member in &ty.members {
                merged.members.insert(member.clone());
                merged.directives.push(join::directive(
                    "join__unionMember",
                    vec![
                        ("graph", join::graph(self.graph(*index))),
                        ("member", join::string(member.as_str())),
                    ],
                ));
            }
        }
        for member in &merged.members {
            let having: Vec<_> = sources
                .iter()
                .filter(|(_, ty)| ty.members.contains(member))
                .copied()
                .collect();
            if let Some((first, missing)) = self.lacking(sources, &having) {
                let message = format!(
                    "union \"{}\" has no member \"{member}\" in subgraph {missing}",
                    merged.name
                );
                self.hint(HintCode::InconsistentUnionMember, first, message);
            }
        }
    }
}
