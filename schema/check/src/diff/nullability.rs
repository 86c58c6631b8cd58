//! What a changed type means, by position: results may promise more, inputs may ask for less.

use apollo_compiler::ast::Type;

/// What became of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeChange {
    /// Nothing.
    Same,
    /// Non-null where null was possible, somewhere in the type, and nothing else.
    NonNull,
    /// Null is possible where it was not, somewhere in the type.
    Nullable,
    /// Another type or list depth.
    Other,
}

/// Compares two types; where one part became non-null and another nullable, `stricter` says which counts.
fn compare(old: &Type, new: &Type, stricter: TypeChange) -> TypeChange {
    if bare(old) != bare(new) {
        return TypeChange::Other;
    }
    let (mut non_null, mut nullable) = (false, false);
    let (mut old, mut new) = (old, new);
    loop {
        non_null |= !old.is_non_null() && new.is_non_null();
        nullable |= old.is_non_null() && !new.is_non_null();
        match (old, new) {
            (Type::List(a) | Type::NonNullList(a), Type::List(b) | Type::NonNullList(b)) => {
                (old, new) = (a, b)
            }
            _ => break,
        }
    }
    match (non_null, nullable) {
        (false, false) => TypeChange::Same,
        (true, true) => stricter,
        (true, false) => TypeChange::NonNull,
        (false, true) => TypeChange::Nullable,
    }
}

/// The change of a type that clients receive.
pub(crate) fn of_result(old: &Type, new: &Type) -> TypeChange {
    compare(old, new, TypeChange::Nullable)
}

/// The change of a type that clients send.
pub(crate) fn of_input(old: &Type, new: &Type) -> TypeChange {
    compare(old, new, TypeChange::NonNull)
}

/// The type without any `!`.
fn bare(ty: &Type) -> Type {
    match ty {
        Type::Named(name) | Type::NonNullNamed(name) => Type::Named(name.clone()),
        Type::List(item) | Type::NonNullList(item) => Type::List(Box::new(bare(item))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, result: TypeChange, input: TypeChange) {
        let parse = |text| Type::parse(text, "type").unwrap();
        assert_eq!(of_result(&parse(old), &parse(new)), result, "{old} -> {new}");
        assert_eq!(of_input(&parse(old), &parse(new)), input, "{old} -> {new}");
    }

    #[test]
    fn types_are_compared_at_every_depth() {
        use TypeChange::{NonNull, Nullable, Other, Same};
        check("A", "A", Same, Same);
        check("A", "A!", NonNull, NonNull);
        check("A!", "A", Nullable, Nullable);
        check("[A]", "[A!]", NonNull, NonNull);
        check("[A]!", "[A!]", Nullable, NonNull);
        check("A", "B", Other, Other);
        check("A", "[A]", Other, Other);
        check("[[A]]", "[[A!]!]", NonNull, NonNull);
    }
}
