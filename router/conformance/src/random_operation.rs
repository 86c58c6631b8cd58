//! Random valid operations against a schema.

use apollo_compiler::ast::Type;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use fastrand::Rng;
use serde_json::{Value as Json, json};

use crate::operation::{Condition, Operation, Selection, Variable};

/// Writes one operation. It may be invalid where fields conflict: the caller checks.
pub fn random_operation(schema: &Valid<Schema>, rng: &mut Rng) -> Operation {
    let mutation = schema.schema_definition.mutation.is_some() && rng.u8(..5) == 0;
    let mut writer = Writer {
        schema,
        rng,
        operation: Operation {
            mutation,
            ..Operation::default()
        },
        budget: 0,
        conditions: 0,
    };
    writer.budget = 6 + writer.rng.i32(..50);
    let root = if mutation { "Mutation" } else { "Query" };
    for index in 0..writer.rng.usize(..3) {
        writer.fragment(index);
    }
    let selections = writer.selections(root, 0, true);
    writer.operation.selections = selections;
    writer.operation
}

struct Writer<'s> {
    schema: &'s Valid<Schema>,
    rng: &'s mut Rng,
    operation: Operation,
    /// Selections that may still be written.
    budget: i32,
    /// Condition variables so far.
    conditions: usize,
}

impl Writer<'_> {
    fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    /// A named fragment on some composite type; later fragments may spread earlier ones.
    fn fragment(&mut self, index: usize) {
        let types: Vec<Name> = self
            .schema
            .types
            .iter()
            .filter(|(name, ty)| {
                !ty.is_built_in()
                    && (ty.is_object() || ty.is_interface() || ty.is_union())
                    && *name != "Mutation"
            })
            .map(|(name, _)| name.clone())
            .collect();
        let on = types[self.rng.usize(..types.len())].to_string();
        let selections = self.selections(&on, 2, false);
        self.operation
            .fragments
            .push((format!("F{index}"), on, selections));
    }

    fn selections(&mut self, parent: &str, depth: usize, top: bool) -> Vec<Selection> {
        let mut out = Vec::new();
        if self.budget <= 0 && depth > 2 {
            return vec![self.typename()];
        }
        let wanted = match self.budget {
            ..=0 => 1,
            _ if depth < 2 => 1 + self.rng.usize(..5),
            _ => 1 + self.rng.usize(..4),
        };
        self.budget -= i32::try_from(wanted).unwrap_or(i32::MAX);
        for _ in 0..wanted {
            out.extend(self.selection(parent, depth, top));
        }
        if out.is_empty() {
            out.extend(self.field(parent, depth, true).or_else(|| Some(self.typename())));
        }
        out
    }

    fn selection(&mut self, parent: &str, depth: usize, top: bool) -> Option<Selection> {
        let is_abstract = self
            .schema
            .types
            .get(parent)
            .is_some_and(|ty| ty.is_interface() || ty.is_union());
        match self.rng.u8(..100) {
            0..5 if !(top && self.operation.mutation) => Some(self.typename()),
            5..12 => self.spread(parent, top),
            12..20 if depth < 8 => self.inline(parent, depth, top),
            20..60 if is_abstract && depth < 8 => self.inline(parent, depth, top),
            _ => self
                .field(parent, depth, self.budget <= 0)
                .or_else(|| match is_abstract {
                    true if depth < 9 => self.inline(parent, depth, top),
                    _ => None,
                }),
        }
    }

    fn typename(&mut self) -> Selection {
        let alias = self.chance(20).then(|| "kind".to_owned());
        let conditions = self.conditions(8);
        Selection::Field {
            alias,
            name: "__typename".to_owned(),
            arguments: Vec::new(),
            conditions,
            below: Vec::new(),
        }
    }

    fn spread(&mut self, parent: &str, top: bool) -> Option<Selection> {
        let fitting: Vec<String> = self
            .operation
            .fragments
            .iter()
            .filter(|(_, on, _)| self.overlap(parent, on))
            .map(|(name, _, _)| name.clone())
            .collect();
        if fitting.is_empty() || top && self.operation.mutation {
            return None;
        }
        let name = fitting[self.rng.usize(..fitting.len())].clone();
        let conditions = self.conditions(15);
        Some(Selection::Spread { name, conditions })
    }

    fn inline(&mut self, parent: &str, depth: usize, top: bool) -> Option<Selection> {
        let mut types: Vec<String> = self
            .schema
            .types
            .iter()
            .filter(|(_, ty)| !ty.is_built_in() && (ty.is_object() || ty.is_interface() || ty.is_union()))
            .filter(|(name, _)| self.overlap(parent, name))
            .map(|(name, _)| name.to_string())
            .collect();
        types.push(parent.to_owned());
        let on = types[self.rng.usize(..types.len())].clone();
        let below = self.selections(&on, depth + 1, top);
        let bare = on == parent && self.chance(50);
        let conditions = self.conditions(15);
        Some(Selection::Inline {
            on: (!bare).then_some(on),
            conditions,
            below,
        })
    }

    fn field(&mut self, parent: &str, depth: usize, leaf_only: bool) -> Option<Selection> {
        let fields: Vec<FieldDefinition> = match self.schema.types.get(parent)? {
            ExtendedType::Object(object) => object.fields.values().map(|field| (***field).clone()).collect(),
            ExtendedType::Interface(interface) => interface
                .fields
                .values()
                .map(|field| (***field).clone())
                .collect(),
            _ => return None,
        };
        let schema = self.schema;
        let is_composite = |field: &FieldDefinition| is_composite(schema, field.ty.inner_named_type());
        let fields: Vec<_> = match leaf_only || depth > 7 {
            true if fields.iter().any(|field| !is_composite(field)) => {
                fields.into_iter().filter(|field| !is_composite(field)).collect()
            }
            true if depth > 12 => return None,
            _ if depth < 5 && self.chance(45) && fields.iter().any(is_composite) => {
                fields.into_iter().filter(is_composite).collect()
            }
            _ => fields,
        };
        let field = fields[self.rng.usize(..fields.len())].clone();
        let arguments = self.arguments(&field.arguments);
        let alias = match arguments.is_empty() {
            true => self
                .chance(12)
                .then(|| format!("{}_{}", field.name, self.rng.u8(..2))),
            false => {
                let text = format!("{arguments:?}");
                let hash = text
                    .bytes()
                    .fold(7u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
                self.chance(75).then(|| format!("{}_{hash:x}", field.name))
            }
        };
        let below = match is_composite(&field) {
            true => self.selections(field.ty.inner_named_type(), depth + 1, false),
            false => Vec::new(),
        };
        let conditions = self.conditions(8);
        Some(Selection::Field {
            alias,
            name: field.name.to_string(),
            arguments,
            conditions,
            below,
        })
    }

    fn conditions(&mut self, percent: u8) -> Vec<Condition> {
        let mut out = Vec::new();
        for directive in ["skip", "include"] {
            if self.rng.u8(..100) < percent {
                let value = match self.chance(75) {
                    true => self.condition_variable(),
                    false => self.rng.bool().to_string(),
                };
                out.push(Condition { directive, value });
            }
        }
        out
    }

    fn condition_variable(&mut self) -> String {
        if self.conditions < 3 && (self.conditions == 0 || self.rng.bool()) {
            let name = format!("c{}", self.conditions);
            self.conditions += 1;
            let value = self.rng.bool();
            let default = self.chance(20);
            self.operation.variables.push(Variable {
                name: name.clone(),
                ty: "Boolean!".to_owned(),
                default: default.then(|| value.to_string()),
                value: (!default).then_some(json!(value)),
            });
            return format!("${name}");
        }
        format!("$c{}", self.rng.usize(..self.conditions))
    }

    fn arguments(&mut self, definitions: &[Node<InputValueDefinition>]) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for definition in definitions {
            let optional = !definition.ty.is_non_null() || definition.default_value.is_some();
            if optional && self.chance(30) {
                continue;
            }
            let value = self.input(&definition.ty, 0);
            let text = match self.chance(40) {
                true => self.value_variable(&definition.ty, value),
                false => self.literal(&definition.ty, &value),
            };
            out.push((definition.name.to_string(), text));
        }
        out
    }

    fn value_variable(&mut self, ty: &Type, value: Json) -> String {
        let name = format!("v{}", self.operation.variables.len());
        let default = self.chance(15).then(|| self.literal(ty, &value));
        let sent = !(ty.is_non_null() && default.is_none()) && self.chance(30);
        self.operation.variables.push(Variable {
            name: name.clone(),
            ty: ty.to_string(),
            default,
            value: (!sent).then_some(value),
        });
        format!("${name}")
    }

    /// A value for an input type, as JSON.
    fn input(&mut self, ty: &Type, depth: usize) -> Json {
        if !ty.is_non_null() && self.chance(15) {
            return Json::Null;
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => {
                let length = self.rng.usize(..3);
                (0..length).map(|_| self.input(item, depth)).collect()
            }
            Type::Named(name) | Type::NonNullNamed(name) => self.named_input(name, depth),
        }
    }

    fn named_input(&mut self, name: &Name, depth: usize) -> Json {
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(enum_)) => {
                let values: Vec<_> = enum_.values.keys().collect();
                json!(values[self.rng.usize(..values.len())].as_str())
            }
            Some(ExtendedType::InputObject(input)) => {
                let mut map = serde_json::Map::new();
                for (field, definition) in &input.fields {
                    if definition.ty.is_non_null() || depth < 2 && self.rng.bool() {
                        map.insert(field.to_string(), self.input(&definition.ty, depth + 1));
                    }
                }
                Json::Object(map)
            }
            _ => match name.as_str() {
                "Int" => json!(self.rng.i32(0..4)),
                "Float" => json!(f64::from(self.rng.i32(-8..9)) / 4.0),
                "Boolean" => json!(self.rng.bool()),
                _ => json!(["", "x", "é\"\\n", "long text"][self.rng.usize(..4)]),
            },
        }
    }

    fn literal(&self, ty: &Type, value: &Json) -> String {
        match value {
            Json::Array(items) => {
                let item = |value| self.literal(ty.item_type(), value);
                format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(", "))
            }
            Json::Object(map) => {
                let input = self.schema.get_input_object(ty.inner_named_type());
                let entry = |(key, value): (&String, &Json)| {
                    let ty = input
                        .and_then(|input| input.fields.get(key.as_str()))
                        .map(|field| (*field.ty).clone());
                    format!(
                        "{key}: {}",
                        ty.map_or_else(|| value.to_string(), |ty| self.literal(&ty, value))
                    )
                };
                format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Json::String(text) if self.schema.get_enum(ty.inner_named_type()).is_some() => text.clone(),
            other => other.to_string(),
        }
    }

    fn overlap(&self, one: &str, other: &str) -> bool {
        let others = self.possible(other);
        self.possible(one).iter().any(|name| others.contains(name))
    }

    fn possible(&self, name: &str) -> Vec<Name> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Object(object)) => vec![object.name.clone()],
            Some(ExtendedType::Union(union_)) => {
                union_.members.iter().map(|member| member.name.clone()).collect()
            }
            Some(ExtendedType::Interface(interface)) => {
                let objects = self.schema.types.values().filter_map(ExtendedType::as_object);
                let objects = objects.filter(|object| object.implements_interfaces.contains(&interface.name));
                objects.map(|object| object.name.clone()).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn is_composite(schema: &Schema, name: &str) -> bool {
    schema
        .types
        .get(name)
        .is_some_and(|ty| ty.is_object() || ty.is_interface() || ty.is_union())
}
