//! Reads the join specification's directives, v0.1 to v0.5, into the model.
//!
//! Up to v0.1 (Federation 1) a type has an owner, and key fields are implied wherever the key is declared;
//! since v0.2 every subgraph of a type and, where they differ, of a field is listed.

use std::sync::Arc;

use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::{Component, Directive, DirectiveList, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use rustc_hash::FxHashMap;

use crate::contexts::Contexts;
use crate::error::SupergraphError;
use crate::field_set;
use crate::model::{
    FieldModel, FieldSet, FieldSource, Key, Ordered, OverrideRule, Subgraph, SubgraphId, TypeModel,
    TypeSource,
};

/// Lists the subgraphs: the values of `join__Graph`.
pub(crate) fn subgraphs(schema: &Schema, join: &str) -> Result<Vec<Subgraph>, SupergraphError> {
    let enum_name = format!("{join}__Graph");
    let directive_name = format!("{join}__graph");
    let Some(graphs) = schema.get_enum(&enum_name) else {
        return Err(SupergraphError::NoSubgraphs(enum_name));
    };
    let read = |(graph, value): (&Name, &Component<apollo_compiler::ast::EnumValueDefinition>)| {
        let directive = value.directives.get(&directive_name);
        let text = |key| directive.and_then(|directive| string(directive, key));
        Subgraph {
            name: text("name").unwrap_or(graph.as_str()).into(),
            url: text("url").unwrap_or_default().to_owned(),
            graph: graph.clone(),
        }
    };
    Ok(graphs.values.iter().map(read).collect())
}

/// Reads every composite type.
pub(crate) fn types(
    schema: &Valid<Schema>,
    join: &str,
    subgraphs: &[Subgraph],
    contexts: &Contexts,
) -> Result<FxHashMap<Name, TypeModel>, SupergraphError> {
    let reader = Reader::new(schema, join, subgraphs, contexts);
    let composites = schema.types.iter().filter(|(name, definition)| {
        !name.starts_with("__")
            && (definition.is_object() || definition.is_interface() || definition.is_union())
    });
    composites
        .map(|(name, definition)| Ok((name.clone(), reader.read_type(name, definition)?)))
        .collect()
}

/// Names of the directives, and the document they are read from.
struct Reader<'a> {
    schema: &'a Valid<Schema>,
    subgraphs: &'a [Subgraph],
    contexts: &'a Contexts,
    graph_ids: FxHashMap<Name, SubgraphId>,
    implementers: apollo_compiler::collections::HashMap<Name, apollo_compiler::schema::Implementers>,
    join_type: String,
    join_owner: String,
    join_field: String,
    join_implements: String,
    join_union_member: String,
}

impl<'a> Reader<'a> {
    fn new(schema: &'a Valid<Schema>, join: &str, subgraphs: &'a [Subgraph], contexts: &'a Contexts) -> Self {
        let ids = subgraphs.iter().enumerate();
        Reader {
            schema,
            subgraphs,
            contexts,
            graph_ids: ids
                .map(|(index, subgraph)| (subgraph.graph.clone(), SubgraphId(index as u16)))
                .collect(),
            implementers: schema.implementers_map(),
            join_type: format!("{join}__type"),
            join_owner: format!("{join}__owner"),
            join_field: format!("{join}__field"),
            join_implements: format!("{join}__implements"),
            join_union_member: format!("{join}__unionMember"),
        }
    }

    fn read_type(&self, name: &Name, definition: &ExtendedType) -> Result<TypeModel, SupergraphError> {
        let owner = self.owner(name, definition.directives())?;
        let mut sources = self.type_sources(name, definition.directives(), owner)?;
        let possible_types = self.possible_types(name, definition);
        let is_abstract = !definition.is_object();
        if is_abstract {
            for (&subgraph, source) in &mut sources {
                source.possible_types = self.possible_types_in(name, definition, subgraph, &possible_types);
            }
        }
        let fields = match definition {
            ExtendedType::Object(object) => self.fields(name, &object.fields, &sources, owner)?,
            ExtendedType::Interface(interface) => self.fields(name, &interface.fields, &sources, owner)?,
            _ => Ordered::default(),
        };
        let mut model = TypeModel {
            name: name.clone(),
            is_abstract,
            possible_types,
            sources,
            interface_objects: Ordered::default(),
            fields,
        };
        self.own_keys_of_extensions(&mut model, definition.directives(), owner.is_some());
        Ok(model)
    }

    fn owner(&self, name: &Name, directives: &DirectiveList) -> Result<Option<SubgraphId>, SupergraphError> {
        directives
            .get(&self.join_owner)
            .map(|directive| self.graph(directive, name))
            .transpose()
            .map(Option::flatten)
    }

    /// Which subgraphs define the type, with their keys. Up to v0.1, types without keys are in every subgraph.
    fn type_sources(
        &self,
        name: &Name,
        directives: &DirectiveList,
        owner: Option<SubgraphId>,
    ) -> Result<Ordered<SubgraphId, TypeSource>, SupergraphError> {
        let mut sources: Ordered<SubgraphId, TypeSource> = Ordered::default();
        if let Some(owner) = owner {
            sources.entry(owner).or_default();
        }
        for directive in directives.get_all(&self.join_type) {
            let Some(subgraph) = self.graph(directive, name)? else {
                continue;
            };
            let source = sources.entry(subgraph).or_default();
            source.is_interface_object |= flag(directive, "isInterfaceObject").unwrap_or(false);
            if let Some(key) = string(directive, "key") {
                let fields = field_set::parse(self.schema, name, key, name)?;
                source.keys.push(Key {
                    fields,
                    resolvable: flag(directive, "resolvable").unwrap_or(true),
                });
            }
        }
        if sources.is_empty() {
            sources = (0..self.subgraphs.len())
                .map(|id| (SubgraphId(id as u16), TypeSource::default()))
                .collect();
        }
        Ok(sources)
    }

    fn possible_types(&self, name: &Name, definition: &ExtendedType) -> Vec<Name> {
        match definition {
            ExtendedType::Interface(_) => {
                let objects = self
                    .implementers
                    .get(name)
                    .map(|implementers| &implementers.objects);
                // The map's order is unspecified; the document's order makes plans stable.
                let objects = |candidate: &&Name| objects.is_some_and(|objects| objects.contains(*candidate));
                self.schema.types.keys().filter(objects).cloned().collect()
            }
            ExtendedType::Union(union_) => union_.members.iter().map(|member| member.name.clone()).collect(),
            _ => vec![name.clone()],
        }
    }

    fn possible_types_in(
        &self,
        name: &Name,
        definition: &ExtendedType,
        subgraph: SubgraphId,
        all: &[Name],
    ) -> Vec<Name> {
        match definition {
            ExtendedType::Interface(_)
                if self
                    .schema
                    .directive_definitions
                    .contains_key(self.join_implements.as_str()) =>
            {
                all.iter()
                    .filter(|object| self.implements_in(object, name, subgraph))
                    .cloned()
                    .collect()
            }
            ExtendedType::Union(union_) if union_.directives.has(&self.join_union_member) => {
                let members: Vec<&str> = union_
                    .directives
                    .get_all(&self.join_union_member)
                    .filter(|directive| {
                        self.graph(directive, name)
                            .is_ok_and(|graph| graph == Some(subgraph))
                    })
                    .filter_map(|directive| string(directive, "member"))
                    .collect();
                all.iter()
                    .filter(|object| members.contains(&object.as_str()))
                    .cloned()
                    .collect()
            }
            _ => all.to_vec(),
        }
    }

    fn implements_in(&self, object: &Name, interface: &Name, subgraph: SubgraphId) -> bool {
        self.schema.get_object(object).is_some_and(|definition| {
            definition
                .directives
                .get_all(&self.join_implements)
                .any(|directive| {
                    string(directive, "interface") == Some(interface)
                        && self
                            .graph(directive, object)
                            .is_ok_and(|graph| graph == Some(subgraph))
                })
        })
    }

    fn fields(
        &self,
        parent: &Name,
        definitions: &IndexMap<Name, Component<FieldDefinition>>,
        types: &Ordered<SubgraphId, TypeSource>,
        owner: Option<SubgraphId>,
    ) -> Result<Ordered<Name, FieldModel>, SupergraphError> {
        let mut fields = Ordered::default();
        for (name, definition) in definitions {
            let mut sources = Ordered::default();
            let mut joins = definition.directives.get_all(&self.join_field).peekable();
            if joins.peek().is_none() {
                let everywhere = types
                    .keys()
                    .copied()
                    .filter(|id| owner.is_none_or(|owner| owner == *id));
                sources.extend(everywhere.map(|id| (id, plain_source(definition))));
            }
            for join in joins {
                if let Some(subgraph) = self.graph(join, parent)? {
                    sources.insert(subgraph, self.field_source(parent, definition, join)?);
                }
            }
            self.apply_overrides(definition, &mut sources);
            fields.insert(
                name.clone(),
                FieldModel {
                    ty: definition.ty.clone(),
                    sources,
                },
            );
        }
        Ok(fields)
    }

    fn field_source(
        &self,
        parent: &Name,
        definition: &FieldDefinition,
        join: &Directive,
    ) -> Result<FieldSource, SupergraphError> {
        let coordinate = format!("{parent}.{}", definition.name);
        let ty = string(join, "type").and_then(|text| Type::parse(text, "join__field(type:)").ok());
        let parse = |on: &Name, key| -> Result<Option<FieldSet>, SupergraphError> {
            string(join, key)
                .map(|text| field_set::parse(self.schema, on, text, &coordinate))
                .transpose()
        };
        Ok(FieldSource {
            external: flag(join, "external").unwrap_or(false)
                || flag(join, "usedOverridden").unwrap_or(false),
            requires: parse(parent, "requires")?,
            provides: parse(definition.ty.inner_named_type(), "provides")?,
            ty: ty.unwrap_or_else(|| definition.ty.clone()),
            override_rule: None,
            via_interfaces: Vec::new(),
            context_arguments: self.contexts.arguments(self.schema, join, &coordinate)?.into(),
        })
    }

    /// Notes which subgraph resolves an overridden field, for each state of the label.
    fn apply_overrides(&self, definition: &FieldDefinition, sources: &mut Ordered<SubgraphId, FieldSource>) {
        for join in definition.directives.get_all(&self.join_field) {
            let Some(from) = string(join, "override") else {
                continue;
            };
            let overridden = self.subgraphs.iter().position(|subgraph| &*subgraph.name == from);
            let overridden = overridden.map(|index| SubgraphId(index as u16));
            let label: Option<Arc<str>> = string(join, "overrideLabel").map(Arc::from);
            if let Some(source) = overridden.and_then(|id| sources.get_mut(&id)) {
                source.external = label.is_none();
                source.override_rule = label.clone().map(|label| OverrideRule {
                    label,
                    active_here: false,
                });
            }
            let overriding = self.graph(join, &definition.name).ok().flatten();
            if let Some(source) = overriding.and_then(|id| sources.get_mut(&id)) {
                source.override_rule = label.map(|label| OverrideRule {
                    label,
                    active_here: true,
                });
            }
        }
    }

    /// A type extension marks its key fields `@external` although it resolves them: they are in every reference
    /// it returns. Up to v0.1 such fields are not even listed.
    fn own_keys_of_extensions(&self, model: &mut TypeModel, directives: &DirectiveList, has_owner: bool) {
        let is_extension = |id: SubgraphId| {
            directives.get_all(&self.join_type).any(|directive| {
                flag(directive, "extension").unwrap_or(false)
                    && self
                        .graph(directive, &model.name)
                        .is_ok_and(|graph| graph == Some(id))
            })
        };
        for (&id, source) in &model.sources {
            if !has_owner && !is_extension(id) {
                continue;
            }
            for name in source.keys.iter().flat_map(|key| field_names(&key.fields)) {
                let Some(field) = model.fields.get_mut(name) else {
                    continue;
                };
                let ty = field.ty.clone();
                let own = field
                    .sources
                    .entry(id)
                    .or_insert_with(|| FieldSource { ty, ..no_source() });
                own.external = false;
            }
        }
    }

    fn graph(&self, directive: &Directive, coordinate: &Name) -> Result<Option<SubgraphId>, SupergraphError> {
        let Some(value) = directive.specified_argument_by_name("graph") else {
            return Ok(None);
        };
        let Some(graph) = value.as_enum() else {
            return Ok(None);
        };
        match self.graph_ids.get(graph) {
            Some(id) => Ok(Some(*id)),
            None => Err(SupergraphError::UnknownGraph {
                coordinate: coordinate.to_string(),
                graph: graph.to_string(),
            }),
        }
    }
}

fn plain_source(definition: &Node<FieldDefinition>) -> FieldSource {
    FieldSource {
        ty: definition.ty.clone(),
        ..no_source()
    }
}

fn no_source() -> FieldSource {
    FieldSource {
        ty: apollo_compiler::ty!(Int),
        external: false,
        requires: None,
        provides: None,
        override_rule: None,
        via_interfaces: Vec::new(),
        context_arguments: Arc::default(),
    }
}

fn field_names(set: &SelectionSet) -> impl Iterator<Item = &Name> {
    set.selections.iter().filter_map(|selection| match selection {
        Selection::Field(field) => Some(&field.name),
        _ => None,
    })
}

fn string<'d>(directive: &'d Directive, argument: &str) -> Option<&'d str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

fn flag(directive: &Directive, argument: &str) -> Option<bool> {
    directive.specified_argument_by_name(argument)?.to_bool()
}
