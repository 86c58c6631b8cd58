//! Where types stand: in what clients send, in what they receive, or in both.

use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashSet;

/// Types by position.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    sent: FxHashSet<Name>,
}

impl Positions {
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut sent = FxHashSet::default();
        for ty in schema.types.values().filter(|ty| !ty.is_built_in()) {
            let fields = match ty {
                ExtendedType::Object(ty) => &ty.fields,
                ExtendedType::Interface(ty) => &ty.fields,
                ExtendedType::InputObject(ty) => {
                    sent.extend(
                        ty.fields
                            .values()
                            .map(|field| field.ty.inner_named_type().clone()),
                    );
                    continue;
                }
                _ => continue,
            };
            let arguments = fields.values().flat_map(|field| &field.arguments);
            sent.extend(arguments.map(|argument| argument.ty.inner_named_type().clone()));
        }
        for directive in schema.directive_definitions.values() {
            let arguments = directive.arguments.iter();
            sent.extend(arguments.map(|argument| argument.ty.inner_named_type().clone()));
        }
        Self { sent }
    }

    /// Whether clients send values of the type.
    pub(crate) fn is_sent(&self, ty: &str) -> bool {
        self.sent.contains(ty)
    }
}

/// Whether clients receive values of the type.
pub(crate) fn is_returned(schema: &Schema, ty: &str) -> bool {
    schema
        .types
        .values()
        .filter(|candidate| !candidate.is_built_in())
        .any(|candidate| {
            let fields = match candidate {
                ExtendedType::Object(it) => &it.fields,
                ExtendedType::Interface(it) => &it.fields,
                _ => return false,
            };
            fields.values().any(|field| field.ty.inner_named_type() == ty)
        })
}
