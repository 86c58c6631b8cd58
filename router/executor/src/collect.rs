//! Compiles an operation into its [`Projection`].

use std::cell::OnceCell;

use apollo_compiler::collections::HashMap;
use apollo_compiler::executable::{DirectiveList, Operation, Selection as Selected, SelectionSet};
use apollo_compiler::schema::{ExtendedType, Implementers, Type, Value};
use apollo_compiler::{ExecutableDocument, Name, Schema};
use indexmap::IndexMap;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::projection::{
    Conjunction, Enum, FieldKind, Leaf, Occurrence, OutputField, OutputKind, OutputType, Projection,
    Selection, SelectionId, Shape,
};

/// Compiles a valid operation.
///
/// `permitted` is the part of it that the caller may use, if not all: a selection set of the same type whose fragments are written
/// out. The rest of the operation is null in the response, also where the plan fetched it for internal use.
pub fn compile(
    schema: &Schema,
    document: &ExecutableDocument,
    operation: &Operation,
    permitted: Option<&SelectionSet>,
) -> Projection {
    let mut compiler = Compiler {
        schema,
        document,
        implementers: OnceCell::new(),
        selections: Vec::new(),
        compiled: FxHashMap::default(),
        condition_variables: Vec::new(),
        position: 0,
    };
    let places = Places {
        asked: vec![Part::whole(&operation.selection_set)],
        permitted: permitted.map(|set| vec![Part::whole(set)]),
    };
    let root = compiler.selection(operation.object_type(), places);
    Projection {
        selections: compiler.selections,
        root,
        condition_variables: compiler.condition_variables,
    }
}

struct Compiler<'d> {
    schema: &'d Schema,
    document: &'d ExecutableDocument,
    implementers: OnceCell<HashMap<Name, Implementers>>,
    selections: Vec<Selection>,
    /// Equal parts compile to one selection, so fragments used often do not multiply.
    compiled: FxHashMap<Identity, SelectionId>,
    condition_variables: Vec<Name>,
    /// Occurrences of fields collected so far for the shape at hand.
    position: usize,
}

/// One of the selection sets merged at a place, and when it counts.
#[derive(Clone)]
struct Part<'d> {
    set: &'d SelectionSet,
    conditions: Conjunction,
}

/// The selection sets merged at a place: all that the client asked for, and those the caller may use, if not all.
struct Places<'d> {
    asked: Vec<Part<'d>>,
    permitted: Option<Vec<Part<'d>>>,
}

type PartIdentity = (usize, Conjunction);
type Identity = (Name, Vec<PartIdentity>, Option<Vec<PartIdentity>>);

/// The occurrences of one response key in an object.
struct Collected<'d> {
    name: &'d Name,
    parts: Vec<Part<'d>>,
    /// Of each part, where it stands among all occurrences in the object.
    positions: Vec<usize>,
}

impl Places<'_> {
    fn identity(&self, type_name: &Name) -> Identity {
        let identities = |parts: &Vec<Part<'_>>| parts.iter().map(Part::identity).collect();
        let permitted = self.permitted.as_ref().map(identities);
        (type_name.clone(), identities(&self.asked), permitted)
    }
}

impl<'d> Part<'d> {
    fn whole(set: &'d SelectionSet) -> Self {
        let conditions = Vec::new();
        Self { set, conditions }
    }

    fn identity(&self) -> (usize, Conjunction) {
        (std::ptr::from_ref(self.set).addr(), self.conditions.clone())
    }
}

impl<'d> Compiler<'d> {
    fn selection(&mut self, type_name: &Name, places: Places<'d>) -> SelectionId {
        let identity = places.identity(type_name);
        if let Some(id) = self.compiled.get(&identity) {
            return *id;
        }
        let mut shapes = Vec::new();
        let mut shape_by_type = FxHashMap::default();
        for object_type in self.possible_types(type_name) {
            let shape = self.shape(&object_type, &places);
            let index = shapes
                .iter()
                .position(|known| *known == shape)
                .unwrap_or_else(|| {
                    shapes.push(shape);
                    shapes.len() - 1
                });
            shape_by_type.insert(object_type, index);
        }
        if shapes.is_empty() {
            // An interface that no type implements: only subgraphs that have it as an object return it.
            shapes.push(self.shape(type_name, &places));
        }
        let is_abstract = self.schema.get_object(type_name).is_none();
        self.selections.push(Selection {
            type_name: type_name.clone(),
            is_abstract,
            shapes,
            shape_by_type,
        });
        let id = SelectionId(self.selections.len() - 1);
        self.compiled.insert(identity, id);
        id
    }

    fn possible_types(&self, type_name: &Name) -> Vec<Name> {
        match self.schema.types.get(type_name) {
            Some(ExtendedType::Interface(_)) => {
                let implementers = self.implementers.get_or_init(|| self.schema.implementers_map());
                implementers
                    .get(type_name)
                    .map_or_else(Vec::new, |found| found.objects.iter().cloned().collect())
            }
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(|member| member.name.clone()).collect()
            }
            _ => vec![type_name.clone()],
        }
    }

    fn shape(&mut self, object_type: &Name, places: &Places<'d>) -> Shape {
        let asked = self.merged(object_type, &places.asked);
        let mut permitted = places
            .permitted
            .as_ref()
            .map(|parts| self.merged(object_type, parts));
        let mut fields: Vec<_> = asked
            .into_iter()
            .map(|(key, collected)| {
                let permitted = permitted.as_mut().map(|fields| fields.swap_remove(key));
                self.field(object_type, key, collected, permitted)
            })
            .collect();
        let is_reordered = fields.iter().any(|field| field.occurrences.len() > 1);
        if !is_reordered {
            number(&mut fields);
        }
        Shape { fields, is_reordered }
    }

    fn merged(&mut self, object_type: &Name, parts: &[Part<'d>]) -> IndexMap<&'d Name, Collected<'d>> {
        let mut fields = IndexMap::new();
        let mut visited = FxHashSet::default();
        self.position = 0;
        for part in parts {
            self.collect(object_type, part, &mut fields, &mut visited);
        }
        fields
    }

    fn collect(
        &mut self,
        object_type: &Name,
        part: &Part<'d>,
        fields: &mut IndexMap<&'d Name, Collected<'d>>,
        visited: &mut FxHashSet<(&'d Name, Conjunction)>,
    ) {
        for selected in &part.set.selections {
            let Some(conditions) = self.conditions(&part.conditions, selected.directives()) else {
                continue;
            };
            match selected {
                Selected::Field(field) => {
                    let collected = fields.entry(field.response_key()).or_insert_with(|| Collected {
                        name: &field.name,
                        parts: Vec::new(),
                        positions: Vec::new(),
                    });
                    collected.positions.push(self.position);
                    self.position += 1;
                    collected.parts.push(Part {
                        set: &field.selection_set,
                        conditions,
                    });
                }
                Selected::InlineFragment(fragment) => {
                    if fragment
                        .type_condition
                        .as_ref()
                        .is_none_or(|ty| self.applies(ty, object_type))
                    {
                        let part = Part {
                            set: &fragment.selection_set,
                            conditions,
                        };
                        self.collect(object_type, &part, fields, visited);
                    }
                }
                Selected::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments[&spread.fragment_name];
                    if self.applies(&fragment.selection_set.ty, object_type)
                        && visited.insert((&spread.fragment_name, conditions.clone()))
                    {
                        let part = Part {
                            set: &fragment.selection_set,
                            conditions,
                        };
                        self.collect(object_type, &part, fields, visited);
                    }
                }
            }
        }
    }

    fn applies(&self, condition: &Name, object_type: &Name) -> bool {
        condition == object_type || self.schema.is_subtype(condition, object_type)
    }

    /// Conditions of a selection inside conditions of its parents; `None` if it never counts.
    fn conditions(&mut self, outer: &Conjunction, directives: &DirectiveList) -> Option<Conjunction> {
        let mut conditions = outer.clone();
        for (directive, expected) in [("skip", false), ("include", true)] {
            let Some(argument) = directives
                .get(directive)
                .and_then(|it| it.specified_argument_by_name("if"))
            else {
                continue;
            };
            match &**argument {
                Value::Boolean(value) if *value != expected => return None,
                Value::Variable(name) => conditions.push((self.condition_variable(name), expected)),
                _ => {}
            }
        }
        conditions.sort_unstable();
        conditions.dedup();
        let contradicts = conditions.windows(2).any(|pair| pair[0].0 == pair[1].0);
        (!contradicts).then_some(conditions)
    }

    fn condition_variable(&mut self, name: &Name) -> usize {
        self.condition_variables
            .iter()
            .position(|known| known == name)
            .unwrap_or_else(|| {
                self.condition_variables.push(name.clone());
                self.condition_variables.len() - 1
            })
    }

    /// `permitted` holds the occurrences that the caller may use, where it may not use all of the operation.
    fn field(
        &mut self,
        object_type: &Name,
        key: &Name,
        asked: Collected<'d>,
        permitted: Option<Option<Collected<'d>>>,
    ) -> OutputField {
        let permitted = permitted.map(|collected| collected.map_or_else(Vec::new, |it| it.parts));
        let permitted_if = permitted.as_ref().map(|parts| alternatives(parts));
        let kind = match asked.name.as_str() {
            "__typename" => FieldKind::Typename,
            "__schema" | "__type" => FieldKind::Introspection,
            name => {
                let definition = self.schema.type_field(object_type, name);
                let ty = definition.expect("the document is valid").ty.clone();
                FieldKind::Data(self.output_type(&ty, &asked.parts, permitted.as_deref()))
            }
        };
        OutputField {
            json_key: format!("\"{key}\":"),
            key: key.clone(),
            position: asked.positions[0],
            occurrences: occurrences(asked),
            permitted_if: permitted_if.flatten(),
            kind,
        }
    }

    fn output_type(&mut self, ty: &Type, asked: &[Part<'d>], permitted: Option<&[Part<'d>]>) -> OutputType {
        let kind = match ty {
            Type::List(item) | Type::NonNullList(item) => {
                OutputKind::List(Box::new(self.output_type(item, asked, permitted)))
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named_type(name, asked, permitted),
        };
        OutputType {
            nullable: !ty.is_non_null(),
            kind,
        }
    }

    fn named_type(&mut self, name: &Name, asked: &[Part<'d>], permitted: Option<&[Part<'d>]>) -> OutputKind {
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(definition)) => OutputKind::Leaf(Leaf::Enum(Enum(definition.clone()))),
            Some(ExtendedType::Scalar(_)) => OutputKind::Leaf(match name.as_str() {
                "Int" => Leaf::Int,
                "Float" => Leaf::Float,
                "String" => Leaf::String,
                "Boolean" => Leaf::Boolean,
                "ID" => Leaf::Id,
                _ => Leaf::Custom,
            }),
            _ => OutputKind::Composite(self.selection(name, inner_places(asked, permitted))),
        }
    }
}

/// Shapes in which only the repetitions differ are equal.
fn number(fields: &mut [OutputField]) {
    for (index, field) in fields.iter_mut().enumerate() {
        field.position = index;
        for occurrence in &mut field.occurrences {
            occurrence.position = index;
        }
    }
}

/// Where the field may stand first: up to the first place that is unconditional, which none can be before.
fn occurrences(collected: Collected<'_>) -> Vec<Occurrence> {
    let mut occurrences: Vec<Occurrence> = Vec::new();
    for (part, position) in collected.parts.into_iter().zip(collected.positions) {
        let conditions = part.conditions;
        let is_last = conditions.is_empty();
        if !occurrences.iter().any(|known| known.conditions == conditions) {
            occurrences.push(Occurrence { position, conditions });
        }
        if is_last {
            break;
        }
    }
    let always_first = occurrences.len() == 1 && occurrences[0].conditions.is_empty();
    if always_first { Vec::new() } else { occurrences }
}

/// When a field with these occurrences counts, each alternative enough by itself; `None` if always.
fn alternatives(parts: &[Part<'_>]) -> Option<Vec<Conjunction>> {
    if parts.iter().any(|part| part.conditions.is_empty()) {
        return None;
    }
    let mut alternatives: Vec<_> = parts.iter().map(|part| part.conditions.clone()).collect();
    alternatives.dedup();
    Some(alternatives)
}

/// The selection sets below a field. Below a single occurrence its conditions are known to hold.
fn inner_places<'d>(asked: &[Part<'d>], permitted: Option<&[Part<'d>]>) -> Places<'d> {
    let inner = |parts: &[Part<'d>]| match (asked, parts) {
        ([_], [only]) => vec![Part::whole(only.set)],
        _ => parts.to_vec(),
    };
    Places {
        asked: inner(asked),
        permitted: permitted.map(inner),
    }
}
