//! Refuses operations by their shape before validation and planning can cost anything.
//!
//! Fragments count as often as they are spread, but each is measured once, so that measuring stays linear in the document
//! however often fragments multiply.

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document, Selection};
use rustc_hash::FxHashMap;

use crate::config::LimitsConfig;
use crate::error::LimitExceeded;

/// Checks every operation and fragment of a parsed document.
pub fn check(document: &Document, limits: &LimitsConfig) -> Result<(), LimitExceeded> {
    let mut measure = Measure::new(document);
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            measure.selections(&operation.selection_set).check(limits)?;
        }
    }
    Ok(())
}

/// Size of a selection set with its fragments spread. Saturating: a bomb of fragments is large, not small again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    depth: usize,
    aliases: usize,
    /// Fields at the top of the selection set.
    top: usize,
    fields: usize,
}

impl Size {
    fn check(self, limits: &LimitsConfig) -> Result<(), LimitExceeded> {
        at_most(self.depth, limits.depth, LimitExceeded::Depth)?;
        at_most(self.aliases, limits.aliases, LimitExceeded::Aliases)?;
        at_most(self.top, limits.root_fields, LimitExceeded::RootFields)?;
        at_most(self.fields, limits.fields, LimitExceeded::Fields)
    }

    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.top = self.top.saturating_add(other.top);
        self.fields = self.fields.saturating_add(other.fields);
    }
}

fn at_most(value: usize, limit: usize, error: fn(usize) -> LimitExceeded) -> Result<(), LimitExceeded> {
    if value > limit { Err(error(limit)) } else { Ok(()) }
}

/// Measures selection sets, each fragment once.
struct Measure<'doc> {
    fragments: FxHashMap<&'doc Name, &'doc [Selection]>,
    /// `None` while the fragment is being measured: a cycle adds nothing, validation reports it.
    measured: FxHashMap<&'doc Name, Option<Size>>,
    /// Selection sets entered and not left: fragments chained by the thousand must not use up the stack.
    entered: usize,
}

/// Most selection sets within each other, fragments included, that are looked into.
const DEEPEST: usize = 500;

impl<'doc> Measure<'doc> {
    fn new(document: &'doc Document) -> Self {
        let fragments = document
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                Definition::FragmentDefinition(fragment) => Some((&fragment.name, &*fragment.selection_set)),
                _ => None,
            });
        Self {
            fragments: fragments.collect(),
            measured: FxHashMap::default(),
            entered: 0,
        }
    }

    fn selections(&mut self, selections: &'doc [Selection]) -> Size {
        if self.entered == DEEPEST {
            return Size {
                depth: usize::MAX,
                ..Size::default()
            };
        }
        self.entered += 1;
        let mut size = Size::default();
        for selection in selections {
            size.add(self.selection(selection));
        }
        self.entered -= 1;
        size
    }

    fn selection(&mut self, selection: &'doc Selection) -> Size {
        match selection {
            Selection::Field(field) => {
                let below = self.selections(&field.selection_set);
                Size {
                    depth: below.depth.saturating_add(1),
                    aliases: below.aliases.saturating_add(usize::from(field.alias.is_some())),
                    top: 1,
                    fields: below.fields.saturating_add(1),
                }
            }
            Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
            Selection::FragmentSpread(spread) => self.fragment(&spread.fragment_name),
        }
    }

    fn fragment(&mut self, name: &'doc Name) -> Size {
        if let Some(known) = self.measured.get(name) {
            return known.unwrap_or_default();
        }
        let Some(selections) = self.fragments.get(name).copied() else {
            return Size::default();
        };
        self.measured.insert(name, None);
        let size = self.selections(selections);
        self.measured.insert(name, Some(size));
        size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(document: &str) -> Result<(), LimitExceeded> {
        let limits = LimitsConfig {
            depth: 4,
            aliases: 3,
            root_fields: 5,
            fields: 20,
            ..LimitsConfig::default()
        };
        check(&Document::parse(document, "test.graphql").unwrap(), &limits)
    }

    #[test]
    fn shapes() {
        let bomb =
            "fragment A on Q { x ...B ...B } fragment B on Q { x ...C ...C } fragment C on Q { x x x x }";
        let cases: &[(&str, Result<(), LimitExceeded>)] = &[
            ("{ a { b { c { d } } } }", Ok(())),
            ("{ a { b { c { d { e } } } } }", Err(LimitExceeded::Depth(4))),
            (
                "{ a { ...F } } fragment F on Q { b { c { d { e } } } }",
                Err(LimitExceeded::Depth(4)),
            ),
            ("{ a { ... on Q { b { ... { c { d } } } } } }", Ok(())),
            ("{ p: a q: a r: a }", Ok(())),
            ("{ p: a q: a r: a s: a }", Err(LimitExceeded::Aliases(3))),
            (
                "{ a { ...F } b { ...F } } fragment F on Q { p: x q: x }",
                Err(LimitExceeded::Aliases(3)),
            ),
            ("{ a b c d e }", Ok(())),
            (
                "{ a b c d ...F } fragment F on Q { e f }",
                Err(LimitExceeded::RootFields(5)),
            ),
            (
                "query A { a } query B { a b c d e f }",
                Err(LimitExceeded::RootFields(5)),
            ),
            ("{ a { ...F } } fragment F on Q { b ...F }", Ok(())),
            ("{ a { ...Missing } }", Ok(())),
        ];
        for (document, expected) in cases {
            assert_eq!(measure(document), *expected, "{document}");
        }
        assert_eq!(
            measure(&format!("{{ q {{ ...A }} r {{ ...A }} }} {bomb}")),
            Err(LimitExceeded::Fields(20))
        );
    }

    #[test]
    fn a_fragment_bomb_is_measured_in_linear_time() {
        let mut document = String::from("{ ...F0 }");
        for level in 0..200 {
            document.push_str(&format!(
                "fragment F{level} on Q {{ ...F{0} ...F{0} }}",
                level + 1
            ));
        }
        document.push_str("fragment F200 on Q { a }");
        assert_eq!(measure(&document), Err(LimitExceeded::RootFields(5)));
    }

    #[test]
    fn a_chain_of_fragments_does_not_use_up_the_stack() {
        let mut document = String::from("{ ...F0 }");
        for level in 0..20_000 {
            document.push_str(&format!("fragment F{level} on Q {{ ...F{} }}", level + 1));
        }
        assert_eq!(measure(&document), Err(LimitExceeded::Depth(4)));
    }
}
