//! `@fromContext`: finds the object above a field whose type sets the context, and has it select what the argument takes.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use fondaco_supergraph::{ContextArgument, Supergraph};

use crate::normalize::{Entry, FieldNode, Normalizer, SelectionSet};

/// An argument that takes its value from an object above the field's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContextUse {
    pub(crate) argument: Name,
    pub(crate) ty: Type,
    /// Objects between the field's own object and the one that sets the context: 1 is the next above.
    pub(crate) up: usize,
    /// Selections on that object.
    pub(crate) selections: Vec<Arc<SelectionSet>>,
}

/// Adds to a client's selections what contexts need.
pub(crate) fn apply(normalizer: &Normalizer<'_>, root: &Name, set: &Arc<SelectionSet>) -> Arc<SelectionSet> {
    let mut walk = Walk {
        normalizer,
        supergraph: normalizer.supergraph,
        levels: Vec::new(),
    };
    walk.selections(root, set)
}

struct Walk<'w, 'a> {
    normalizer: &'w Normalizer<'a>,
    supergraph: &'a Supergraph,
    /// Enclosing objects, outermost first.
    levels: Vec<Level>,
}

struct Level {
    ty: Name,
    additions: Vec<Entry>,
}

impl Walk<'_, '_> {
    fn selections(&mut self, ty: &Name, set: &Arc<SelectionSet>) -> Arc<SelectionSet> {
        self.levels.push(Level {
            ty: ty.clone(),
            additions: Vec::new(),
        });
        let mut entries: Vec<Entry> = set
            .entries
            .iter()
            .map(|entry| Entry {
                on: entry.on.clone(),
                field: self.field(ty, entry),
            })
            .collect();
        let level = self.levels.pop().expect("pushed above");
        entries.extend(level.additions);
        self.normalizer.set(entries)
    }

    fn field(&mut self, parent: &Name, entry: &Entry) -> Arc<FieldNode> {
        let field = &entry.field;
        let contexts = self.uses(parent, entry);
        let selections = field.selections.as_ref().map(|set| {
            let ty = self.field_type(parent, entry);
            self.selections(&ty, set)
        });
        Arc::new(FieldNode {
            selections,
            contexts,
            ..(**field).clone()
        })
    }

    fn field_type(&self, parent: &Name, entry: &Entry) -> Name {
        let on = entry.on.as_deref().and_then(|on| on.first());
        let definition = [Some(parent), on]
            .into_iter()
            .flatten()
            .find_map(|ty| self.supergraph.field(ty, &entry.field.name));
        definition.map_or_else(|| parent.clone(), |field| field.ty.inner_named_type().clone())
    }

    /// The context arguments of a field in any subgraph, for any type it is selected on.
    fn uses(&mut self, parent: &Name, entry: &Entry) -> Vec<ContextUse> {
        let objects = entry.on.as_deref();
        let objects = objects.unwrap_or(self.supergraph.possible_types(parent));
        let mut uses: Vec<ContextUse> = Vec::new();
        for object in objects {
            let field = self
                .supergraph
                .type_model(object)
                .and_then(|model| model.fields.get(&entry.field.name));
            let sources = field.iter().flat_map(|field| field.sources.values());
            for argument in sources.flat_map(|source| source.context_arguments.iter()) {
                if uses.iter().all(|known| known.argument != argument.name) {
                    uses.extend(self.take(argument));
                }
            }
        }
        uses
    }

    /// The use of a context, and the selection added to the nearest object that sets it.
    fn take(&mut self, argument: &ContextArgument) -> Option<ContextUse> {
        let own = self.levels.len() - 1;
        for up in 1..=own {
            let level = &mut self.levels[own - up];
            let possible = self.supergraph.possible_types(&level.ty);
            let mut selections = Vec::new();
            for (setter, set) in argument.selections.iter() {
                let setters = self.supergraph.possible_types(setter);
                let on: Vec<Name> = possible
                    .iter()
                    .filter(|object| setters.contains(object))
                    .cloned()
                    .collect();
                if on.is_empty() {
                    continue;
                }
                let on: Option<Arc<[Name]>> = (on.len() < possible.len()).then(|| Arc::from(on));
                let set = self.normalizer.internal(set);
                let entries: Vec<Entry> = set
                    .entries
                    .iter()
                    .map(|entry| Entry {
                        on: entry.on.clone().or_else(|| on.clone()),
                        field: entry.field.clone(),
                    })
                    .collect();
                level.additions.extend(entries.iter().cloned());
                selections.push(self.normalizer.set(entries));
            }
            if !selections.is_empty() {
                return Some(ContextUse {
                    argument: argument.name.clone(),
                    ty: argument.ty.clone(),
                    up,
                    selections,
                });
            }
        }
        None
    }
}
