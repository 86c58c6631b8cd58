//! Merging: all subgraphs' declarations of each type become one supergraph type with join directives.

mod arguments;
mod composed_directive;
mod description;
mod directives;
mod enum_type;
mod executable_directives;
mod field;
mod field_type;
mod input_object;
mod interface_access;
mod interface_object;
mod override_field;
mod sharing;
mod union_type;

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::DirectiveDefinition;
use apollo_compiler::collections::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Hint, graph_error};
use crate::facts::Facts;
use crate::join;
use crate::model::{Kind, Subgraph, TypeDef};

pub(crate) use composed_directive::{ComposedDirective, ComposedKind, composed_directives};
pub(crate) use directives::alternatives;

/// A subgraph with its facts.
pub(crate) struct Member {
    pub(crate) subgraph: Subgraph,
    pub(crate) facts: Facts,
}

/// The merged graph, before it is printed.
pub(crate) struct Supergraph {
    pub(crate) types: BTreeMap<Name, TypeDef>,
    /// Directives that reach the supergraph from federation or by `@composeDirective`.
    pub(crate) composed: Vec<ComposedDirective>,
    pub(crate) executable: BTreeMap<Name, Node<DirectiveDefinition>>,
    pub(crate) schema_directives: apollo_compiler::ast::DirectiveList,
}

/// One declaration of an element: the index of its subgraph, and the element.
pub(crate) type Source<'a, T> = (usize, &'a T);

/// Merging state: what has been found so far.
pub(crate) struct Merger<'a> {
    pub(crate) members: &'a [Member],
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) hints: Vec<Hint>,
    /// Kinds of the merged types, interface objects counting as interfaces.
    kinds: BTreeMap<Name, Kind>,
    composed: Vec<ComposedDirective>,
}

/// Merges all subgraphs; the result is meaningful only without errors.
pub(crate) fn merge(members: &[Member]) -> (Supergraph, Vec<Diagnostic>, Vec<Hint>) {
    let mut errors = Vec::new();
    let composed = composed_directives(members, &mut errors);
    let mut merger = Merger {
        members,
        errors,
        hints: Vec::new(),
        kinds: BTreeMap::new(),
        composed,
    };
    merger.kinds = merger.merged_kinds();
    merger.check_extensions_have_a_base();

    let mut types = merger.merge_types();
    merger.add_interface_object_fields(&mut types);
    interface_access::inherit_access(&mut types);
    merger.merge_enums(&mut types);
    merger.check_queries(&types);
    let executable = merger.merge_executable_directives();
    let schema_directives = merger.merge_schema_directives();

    let supergraph = Supergraph {
        types,
        composed: merger.composed,
        executable,
        schema_directives,
    };
    (supergraph, merger.errors, merger.hints)
}

impl<'a> Merger<'a> {
    /// All declarations of a type, in the order of subgraphs.
    pub(crate) fn sources(&self, name: &str) -> Vec<Source<'a, TypeDef>> {
        let declared = self.members.iter().enumerate();
        declared
            .filter_map(|(index, member)| Some((index, member.subgraph.types.get(name)?)))
            .collect()
    }

    pub(crate) fn subgraph(&self, index: usize) -> &'a Subgraph {
        &self.members[index].subgraph
    }

    pub(crate) fn graph(&self, index: usize) -> &'a Name {
        &self.members[index].subgraph.graph
    }

    pub(crate) fn facts(&self, index: usize) -> &'a Facts {
        &self.members[index].facts
    }

    /// Names of the subgraphs, quoted, for messages.
    pub(crate) fn names(&self, indexes: impl IntoIterator<Item = usize>) -> String {
        let names: Vec<_> = indexes
            .into_iter()
            .map(|index| format!("\"{}\"", self.members[index].subgraph.name))
            .collect();
        names.join(", ")
    }

    fn merged_kinds(&mut self) -> BTreeMap<Name, Kind> {
        let names: BTreeSet<&Name> = self
            .members
            .iter()
            .flat_map(|member| member.subgraph.types.keys())
            .collect();
        let mut kinds = BTreeMap::new();
        for name in names {
            let sources = self.sources(name);
            let kind = self.kind_of(name, &sources);
            kinds.insert(name.clone(), kind);
        }
        kinds
    }

    /// The kind all declarations agree upon.
    fn kind_of(&mut self, name: &Name, sources: &[Source<'a, TypeDef>]) -> Kind {
        let kind = |ty: &TypeDef| {
            if ty.is_interface_object() {
                Kind::Interface
            } else {
                ty.kind
            }
        };
        let first = kind(sources[0].1);
        if let Some((index, other)) = sources.iter().find(|(_, ty)| kind(ty) != first) {
            let message = format!(
                "type \"{name}\" is of kind {} in subgraph {}, but of kind {} in subgraph {}",
                first.describe(),
                self.names([sources[0].0]),
                kind(other).describe(),
                self.names([*index]),
            );
            self.errors.push(
                self.subgraph(*index)
                    .error(Code::TypeKindMismatch, other.span, message),
            );
        } else if sources.iter().all(|(_, ty)| ty.is_interface_object()) {
            let message = format!(
                "type \"{name}\" is an interface object in every subgraph that has it; one must declare the interface"
            );
            self.errors.push(self.subgraph(sources[0].0).error(
                Code::InterfaceObjectUsageError,
                sources[0].1.span,
                message,
            ));
        }
        first
    }

    /// Federation 1 lets a subgraph extend what another defines: someone must define it.
    fn check_extensions_have_a_base(&mut self) {
        for name in self.kinds.keys().cloned().collect::<Vec<_>>() {
            let sources = self.sources(&name);
            let (index, ty) = sources[0];
            if ty.is_root() || !ty.kind.is_composite() || sources.iter().any(|(_, ty)| !ty.extension) {
                continue;
            }
            let message = format!("every declaration of type \"{name}\" extends it, and none defines it");
            self.errors.push(
                self.subgraph(index)
                    .error(Code::ExtensionWithNoBase, ty.span, message),
            );
        }
    }

    fn merge_types(&mut self) -> BTreeMap<Name, TypeDef> {
        let kinds = self.kinds.clone();
        let mut types = BTreeMap::new();
        for (name, kind) in kinds {
            let sources = self.sources(&name);
            // A kind mismatch has been reported; merging unlike declarations would only add noise.
            if sources
                .iter()
                .any(|(_, ty)| ty.kind != kind && !ty.is_interface_object())
            {
                continue;
            }
            types.insert(name.clone(), self.merge_type(name, kind, &sources));
        }
        types
    }

    fn merge_type(&mut self, name: Name, kind: Kind, sources: &[Source<'a, TypeDef>]) -> TypeDef {
        let mut merged = TypeDef::empty(name, kind);
        merged.description = self.merge_description(
            sources.iter().map(|(_, ty)| ty.description.as_ref()),
            &merged.name.clone(),
        );
        self.merge_implements(sources, &mut merged);
        self.add_join_types(sources, &mut merged);
        match kind {
            Kind::Object | Kind::Interface => self.merge_fields(sources, &mut merged),
            Kind::InputObject => self.merge_inputs(sources, &mut merged),
            Kind::Union => self.merge_members(sources, &mut merged),
            Kind::Enum | Kind::Scalar => {}
        }
        let directives: Vec<_> = sources
            .iter()
            .map(|(index, ty)| (*index, &ty.directives))
            .collect();
        let applied = self.merge_directives(&directives, &merged.name.clone());
        merged.directives.extend(applied);
        merged
    }

    fn merge_implements(&mut self, sources: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        for (index, ty) in sources {
            for interface in &ty.implements {
                merged.implements.insert(interface.clone());
                merged.directives.push(join::directive(
                    "join__implements",
                    vec![
                        ("graph", join::graph(self.graph(*index))),
                        ("interface", join::string(interface.as_str())),
                    ],
                ));
            }
        }
    }

    /// One `@join__type` a key, or one without.
    fn add_join_types(&mut self, sources: &[Source<'a, TypeDef>], merged: &mut TypeDef) {
        for (index, ty) in sources {
            let graph = self.graph(*index);
            let keys = self.facts(*index).keys(&ty.name);
            let keyed = keys.iter().map(Some);
            let keyed = if keys.is_empty() {
                vec![None]
            } else {
                keyed.collect()
            };
            for key in keyed {
                let mut arguments = vec![("graph", join::graph(graph))];
                if let Some(key) = key {
                    arguments.push(("key", join::string(key.fields.clone())));
                    // Federation 1 extensions are told apart in the supergraph; Federation 2 has none.
                    if ty.is_federation_extension() {
                        arguments.push(("extension", apollo_compiler::ast::Value::Boolean(true)));
                    }
                    if !key.resolvable {
                        arguments.push(("resolvable", apollo_compiler::ast::Value::Boolean(false)));
                    }
                }
                if ty.is_interface_object() {
                    arguments.push(("isInterfaceObject", apollo_compiler::ast::Value::Boolean(true)));
                }
                merged.directives.push(join::directive("join__type", arguments));
            }
        }
    }

    fn check_queries(&mut self, types: &BTreeMap<Name, TypeDef>) {
        if types.get("Query").is_none_or(|query| query.fields.is_empty()) {
            self.errors.push(graph_error(
                Code::NoQueries,
                "no subgraph has a query, and a graph needs one",
            ));
        }
    }
}

/// The names of all members `pick` finds in the sources, in order of first appearance, with their declarations.
pub(crate) fn gather<'a, T>(
    sources: &[Source<'a, TypeDef>],
    pick: impl Fn(&'a TypeDef) -> &'a IndexMap<Name, T>,
) -> IndexMap<Name, Vec<Source<'a, T>>> {
    let mut gathered: IndexMap<Name, Vec<Source<'a, T>>> = IndexMap::default();
    for (index, ty) in sources {
        for (name, member) in pick(ty) {
            gathered.entry(name.clone()).or_default().push((*index, member));
        }
    }
    gathered
}
