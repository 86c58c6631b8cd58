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
pub fn compile(schema: &Schema, document: &ExecutableDocument, operation: &Operation) -> Projection {
    let mut compiler = Compiler {
        schema,
        document,
        implementers: OnceCell::new(),
        selections: Vec::new(),
        compiled: FxHashMap::default(),
        condition_variables: Vec::new(),
        position: 0,
    };
    let whole = Part {
        set: &operation.selection_set,
        conditions: Vec::new(),
    };
    let root = compiler.selection(operation.object_type(), vec![whole]);
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
    compiled: FxHashMap<(Name, Vec<(usize, Conjunction)>), SelectionId>,
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

/// The occurrences of one response key in an object.
struct Collected<'d> {
    name: &'d Name,
    parts: Vec<Part<'d>>,
    /// Of each part, where it stands among all occurrences in the object.
    positions: Vec<usize>,
}

impl Part<'_> {
    fn identity(&self) -> (usize, Conjunction) {
        (std::ptr::from_ref(self.set).addr(), self.conditions.clone())
    }
}

impl<'d> Compiler<'d> {
    fn selection(&mut self, type_name: &Name, parts: Vec<Part<'d>>) -> SelectionId {
        let identity = (
            type_name.clone(),
            parts.iter().map(Part::identity).collect::<Vec<_>>(),
        );
        if let Some(id) = self.compiled.get(&identity) {
            return *id;
        }
        let mut shapes = Vec::new();
        let mut shape_by_type = FxHashMap::default();
        for object_type in self.possible_types(type_name) {
            let shape = self.shape(&object_type, &parts);
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
            shapes.push(self.shape(type_name, &parts));
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

    fn shape(&mut self, object_type: &Name, parts: &[Part<'d>]) -> Shape {
        let mut fields = IndexMap::new();
        let mut visited = FxHashSet::default();
        self.position = 0;
        for part in parts {
            self.collect(object_type, part, &mut fields, &mut visited);
        }
        let mut fields: Vec<_> = fields
            .into_iter()
            .map(|(key, collected)| self.field(object_type, key, collected))
            .collect();
        let is_reordered = fields.iter().any(|field| field.occurrences.len() > 1);
        if !is_reordered {
            // Shapes in which only the repetitions differ are equal.
            for (index, field) in fields.iter_mut().enumerate() {
                field.position = index;
                for occurrence in &mut field.occurrences {
                    occurrence.position = index;
                }
            }
        }
        Shape { fields, is_reordered }
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
        Some(conditions)
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

    fn field(&mut self, object_type: &Name, key: &Name, collected: Collected<'d>) -> OutputField {
        let kind = match collected.name.as_str() {
            "__typename" => FieldKind::Typename,
            "__schema" | "__type" => FieldKind::Introspection,
            name => {
                let ty = self
                    .schema
                    .type_field(object_type, name)
                    .expect("the document is valid")
                    .ty
                    .clone();
                FieldKind::Data(self.output_type(&ty, &inner_parts(&collected.parts)))
            }
        };
        OutputField {
            json_key: format!("\"{key}\":"),
            key: key.clone(),
            position: collected.positions[0],
            occurrences: occurrences(collected),
            kind,
        }
    }

    fn output_type(&mut self, ty: &Type, parts: &[Part<'d>]) -> OutputType {
        let kind = match ty {
            Type::List(item) | Type::NonNullList(item) => {
                OutputKind::List(Box::new(self.output_type(item, parts)))
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named_type(name, parts),
        };
        OutputType {
            nullable: !ty.is_non_null(),
            kind,
        }
    }

    fn named_type(&mut self, name: &Name, parts: &[Part<'d>]) -> OutputKind {
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
            _ => OutputKind::Composite(self.selection(name, parts.to_vec())),
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

/// The selection sets below a field. Below a single occurrence its conditions are known to hold.
fn inner_parts<'d>(parts: &[Part<'d>]) -> Vec<Part<'d>> {
    match parts {
        [only] => vec![Part {
            set: only.set,
            conditions: Vec::new(),
        }],
        several => several.to_vec(),
    }
}
