//! Merging: all subgraphs' declarations of each type become one supergraph type with join directives.

mod arguments;
mod compose_directive;
mod composed_directive;
mod description;
mod directives;
mod enum_type;
mod executable_directives;
mod field;
mod field_type;
mod inconsistent_types;
mod input_object;
mod interface_access;
mod interface_object;
mod override_field;
mod sharing;
mod union_type;

use std::collections::BTreeMap;
use std::rc::Rc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::DirectiveDefinition;
use apollo_compiler::collections::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::code::{Code, HintCode};
use crate::diagnostic::{Diagnostic, Hint, graph_error};
use crate::facts::Facts;
use crate::join;
use crate::link::Link;
use crate::model::{Element, Kind, SchemaDef, Subgraph, TypeDef};

pub(crate) use composed_directive::{ComposedDirective, ComposedKind, composed_directives};
pub(crate) use directives::alternatives;

/// A subgraph with its facts.
pub(crate) struct Member {
    pub(crate) subgraph: Subgraph,
    pub(crate) facts: Facts,
}

impl Member {
    /// Reads the facts of a subgraph.
    pub(crate) fn of(subgraph: Subgraph) -> Self {
        Self {
            facts: Facts::of(&subgraph),
            subgraph,
        }
    }
}

/// The merged graph, before it is printed.
#[derive(Default)]
pub(crate) struct Supergraph {
    pub(crate) types: BTreeMap<Name, TypeDef>,
    /// Directives that reach the supergraph from federation or by `@composeDirective`.
    pub(crate) composed: Vec<ComposedDirective>,
    pub(crate) executable: BTreeMap<Name, Node<DirectiveDefinition>>,
    pub(crate) schema: SchemaDef,
}

impl Supergraph {
    /// The link of a custom specification to which a type of that name belongs.
    pub(crate) fn link_defining(&self, ty: &str) -> Option<&Link> {
        let (prefix, _) = ty.split_once("__")?;
        self.composed.iter().find_map(|composed| match &composed.kind {
            ComposedKind::Custom { link, .. } if link.prefix() == prefix => Some(&**link),
            _ => None,
        })
    }
}

/// One declaration of an element: the index of its subgraph, and the element.
pub(crate) type Source<'a, T> = (usize, &'a T);

/// Merging state: what has been found so far.
pub(crate) struct Merger<'a> {
    pub(crate) members: &'a [Member],
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) hints: Vec<Hint>,
    /// All declarations of each type, in the order of subgraphs.
    declared: BTreeMap<Name, Vec<Source<'a, TypeDef>>>,
    /// Kinds of the merged types, interface objects counting as interfaces.
    kinds: FxHashMap<Name, Kind>,
    /// Interfaces each type implements, in any subgraph.
    implements: FxHashMap<Name, FxHashSet<Name>>,
    /// Members of each union, in any subgraph.
    union_members: FxHashMap<Name, FxHashSet<Name>>,
    has_interface_objects: bool,
    composed: Rc<[ComposedDirective]>,
}

/// Merges all subgraphs; the result is meaningful only without errors.
pub(crate) fn merge(members: &[Member]) -> (Supergraph, Vec<Diagnostic>, Vec<Hint>) {
    let mut errors = Vec::new();
    let mut hints = Vec::new();
    let composed = composed_directives(members, &mut errors, &mut hints);
    let mut merger = Merger {
        members,
        errors,
        hints,
        declared: declarations(members),
        kinds: FxHashMap::default(),
        implements: FxHashMap::default(),
        union_members: FxHashMap::default(),
        has_interface_objects: false,
        composed: composed.into(),
    };
    merger.relate_types();
    // Without agreement on directives, what is merged with them would only repeat the problem.
    if !merger.errors.is_empty() && merger.errors.iter().any(|error| error.code.is_about_directives()) {
        return (Supergraph::default(), merger.errors, merger.hints);
    }
    merger.check_extensions_have_a_base();

    let mut types = merger.merge_types();
    merger.add_interface_object_fields(&mut types);
    interface_access::inherit_access(&mut types);
    merger.merge_enums(&mut types);
    merger.check_queries();
    let executable = merger.merge_executable_directives();
    let schema = merger.merge_schema_definition();

    let supergraph = Supergraph {
        types,
        composed: merger.composed.to_vec(),
        executable,
        schema,
    };
    (supergraph, merger.errors, merger.hints)
}

impl<'a> Merger<'a> {
    /// All declarations of a type, in the order of subgraphs.
    pub(crate) fn sources(&self, name: &str) -> Vec<Source<'a, TypeDef>> {
        self.declared.get(name).cloned().unwrap_or_default()
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

    /// Adds an error about one declaration.
    pub(crate) fn error<T: Element>(
        &mut self,
        code: Code,
        (index, element): Source<'_, T>,
        message: impl Into<String>,
    ) {
        let error = self.subgraph(index).error(code, element.span(), message);
        self.errors.push(error);
    }

    /// Adds a hint about one declaration.
    pub(crate) fn hint<T: Element>(
        &mut self,
        code: HintCode,
        (index, element): Source<'_, T>,
        message: impl Into<String>,
    ) {
        let hint = self.subgraph(index).hint(code, element.span(), message);
        self.hints.push(hint);
    }

    /// The first of `all` that is not among `having`, and the names of all such.
    pub(crate) fn lacking<'s, A, H>(
        &self,
        all: &[Source<'s, A>],
        having: &[Source<'_, H>],
    ) -> Option<(Source<'s, A>, String)> {
        let lacking: Vec<_> = all
            .iter()
            .filter(|(index, _)| !having.iter().any(|(other, _)| other == index))
            .copied()
            .collect();
        let first = *lacking.first()?;
        Some((first, self.names(lacking.iter().map(|(index, _)| *index))))
    }

    /// What merging members needs to know of all types: their kinds and who is a special case of whom.
    fn relate_types(&mut self) {
        for (name, sources) in self.declared.clone() {
            let kind = self.kind_of(&name, &sources);
            self.kinds.insert(name, kind);
        }
        for ty in self
            .members
            .iter()
            .flat_map(|member| member.subgraph.types.values())
        {
            self.has_interface_objects |= ty.is_interface_object();
            if !ty.implements.is_empty() {
                let implements = self.implements.entry(ty.name.clone()).or_default();
                implements.extend(ty.implements.iter().cloned());
            }
            if !ty.members.is_empty() {
                let members = self.union_members.entry(ty.name.clone()).or_default();
                members.extend(ty.members.iter().cloned());
            }
        }
    }

    /// The kind all declarations agree upon.
    fn kind_of(&mut self, name: &Name, sources: &[Source<'a, TypeDef>]) -> Kind {
        let first = sources[0].1.merged_kind();
        if let Some((index, other)) = sources.iter().find(|(_, ty)| ty.merged_kind() != first) {
            let message = format!(
                "type \"{name}\" is of kind {} in subgraph {}, but of kind {} in subgraph {}",
                first.describe(),
                self.names([sources[0].0]),
                other.merged_kind().describe(),
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
        for (name, sources) in self.declared.clone() {
            let kind = self.kinds[&name];
            let mut merged = sources.iter().filter(|(_, ty)| ty.merged_kind() == kind);
            if merged.any(|(_, ty)| ty.is_root() || !ty.extension) {
                continue;
            }
            for source in sources {
                let message = format!("every declaration of type \"{name}\" extends it, and none defines it");
                self.error(Code::ExtensionWithNoBase, source, message);
            }
        }
    }

    fn merge_types(&mut self) -> BTreeMap<Name, TypeDef> {
        let mut types = BTreeMap::new();
        for (name, sources) in self.declared.clone() {
            let kind = self.kinds[&name];
            // A kind mismatch has been reported; what is left may show more.
            let sources: Vec<_> = sources
                .into_iter()
                .filter(|(_, ty)| ty.merged_kind() == kind)
                .collect();
            types.insert(name.clone(), self.merge_type(name, kind, &sources));
        }
        types
    }

    fn merge_type(&mut self, name: Name, kind: Kind, sources: &[Source<'a, TypeDef>]) -> TypeDef {
        let mut merged = TypeDef::empty(name, kind);
        merged.description = self.merge_description(sources, &merged.name.clone());
        self.merge_implements(sources, &mut merged);
        self.add_join_types(sources, &mut merged);
        match kind {
            Kind::Object | Kind::Interface => {
                self.hint_on_inconsistent_type(kind, sources);
                self.merge_fields(sources, &mut merged);
            }
            Kind::InputObject => self.merge_inputs(sources, &mut merged),
            Kind::Union => self.merge_members(sources, &mut merged),
            Kind::Enum | Kind::Scalar => {}
        }
        let applied = self.merge_directives(sources, &merged.name.clone());
        merged.directives.extend(applied);
        merged.directives.extend(self.cache_tags(sources));
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

    fn check_queries(&mut self) {
        if self
            .sources("Query")
            .iter()
            .all(|(_, query)| query.fields.is_empty())
        {
            let message = format!(
                "none of the subgraphs {} has a query, and a graph needs one",
                self.names(0..self.members.len())
            );
            let error = match self.members.first() {
                Some(member) => member
                    .subgraph
                    .error(Code::NoQueries, member.subgraph.schema.span, message),
                None => graph_error(Code::NoQueries, "there are no subgraphs"),
            };
            self.errors.push(error);
        }
    }
}

fn declarations(members: &[Member]) -> BTreeMap<Name, Vec<Source<'_, TypeDef>>> {
    let mut declared: BTreeMap<Name, Vec<Source<'_, TypeDef>>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        for (name, ty) in &member.subgraph.types {
            declared.entry(name.clone()).or_default().push((index, ty));
        }
    }
    declared
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
