//! Types of one element across subgraphs: what fields give widens, what arguments take narrows.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;

use super::{Merger, Source};
use crate::model::Kind;

/// In which direction a type may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variance {
    /// Output: the merged type is the most general one.
    Output,
    /// Input: the merged type is the most demanding one.
    Input,
}

impl Merger<'_> {
    /// The merged type, or the two sources that have none in common.
    pub(super) fn merge_type_reference(
        &self,
        types: &[Source<'_, Type>],
        variance: Variance,
    ) -> Result<Type, (usize, usize)> {
        let mut merged: Source<'_, Type> = types[0];
        for &(index, ty) in &types[1..] {
            let new_is_narrower = self.is_subtype(ty, merged.1, variance);
            let new_is_wider = self.is_subtype(merged.1, ty, variance);
            let take_new = match variance {
                Variance::Output => new_is_wider,
                Variance::Input => new_is_narrower,
            };
            if !new_is_narrower && !new_is_wider {
                return Err((merged.0, index));
            }
            if take_new && ty != merged.1 {
                merged = (index, ty);
            }
        }
        Ok(merged.1.clone())
    }

    /// Whether every value of `special` is one of `general`.
    pub(super) fn is_subtype(&self, special: &Type, general: &Type, variance: Variance) -> bool {
        match (special, general) {
            (Type::NonNullNamed(special), Type::Named(general) | Type::NonNullNamed(general))
            | (Type::Named(special), Type::Named(general)) => {
                self.is_named_subtype(special, general, variance)
            }
            (Type::NonNullList(special), Type::List(general) | Type::NonNullList(general))
            | (Type::List(special), Type::List(general)) => self.is_subtype(special, general, variance),
            _ => false,
        }
    }

    fn is_named_subtype(&self, special: &Name, general: &Name, variance: Variance) -> bool {
        if special == general {
            return true;
        }
        if variance == Variance::Input {
            return false;
        }
        match self.kinds.get(general) {
            Some(Kind::Interface) => self
                .implements
                .get(special)
                .is_some_and(|interfaces| interfaces.contains(general)),
            Some(Kind::Union) => self
                .union_members
                .get(general)
                .is_some_and(|members| members.contains(special)),
            _ => false,
        }
    }
}
