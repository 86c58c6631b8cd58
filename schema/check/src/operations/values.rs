//! What an operation sends: values written in it, and variables, of which only the type is known.

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::change::Given;

/// The variables of an operation: whether they may be null or absent.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    nullable: FxHashMap<Name, bool>,
}

impl Variables {
    pub(crate) fn of(operation: &Operation) -> Self {
        let nullable = operation.variables.iter().map(|variable| {
            let has_value = variable.ty.is_non_null()
                || variable
                    .default_value
                    .as_ref()
                    .is_some_and(|default| !default.is_null());
            (variable.name.clone(), !has_value)
        });
        Self {
            nullable: nullable.collect(),
        }
    }

    /// How a value written in the operation gives an argument or field.
    pub(crate) fn way_of(&self, value: &Value) -> Given {
        let may_be_null = match value {
            Value::Null => true,
            Value::Variable(name) => self.nullable.get(name).copied().unwrap_or(true),
            _ => false,
        };
        if may_be_null {
            Given::Nullable
        } else {
            Given::Value
        }
    }
}

/// What is sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    types: FxHashSet<Name>,
    /// Types whose values come in variables: anything they may hold must be expected.
    in_variables: FxHashSet<Name>,
    fields: FxHashSet<(Name, Name, Given)>,
    values: FxHashSet<(Name, Name)>,
}

impl Sent {
    pub(crate) fn has_type(&self, ty: &Name) -> bool {
        self.types.contains(ty)
    }

    pub(crate) fn gives(&self, ty: &Name, field: &Name, ways: &[Given]) -> bool {
        // A change that no way of giving notices is noticed by nobody.
        (!ways.is_empty() && self.in_variables.contains(ty))
            || ways
                .iter()
                .any(|way| self.fields.contains(&(ty.clone(), field.clone(), *way)))
    }

    pub(crate) fn may_hold(&self, ty: &Name, value: &Name) -> bool {
        self.in_variables.contains(ty) || self.values.contains(&(ty.clone(), value.clone()))
    }

    pub(crate) fn add_variables(&mut self, operation: &Operation, schema: &Schema) {
        for variable in &operation.variables {
            self.add_unknown(variable.ty.inner_named_type(), schema);
        }
    }

    /// Everything a variable of that type may hold.
    fn add_unknown(&mut self, ty: &Name, schema: &Schema) {
        self.types.insert(ty.clone());
        if !self.in_variables.insert(ty.clone()) {
            return;
        }
        if let Some(ExtendedType::InputObject(input)) = schema.types.get(ty) {
            for field in input.fields.values() {
                self.add_unknown(field.ty.inner_named_type(), schema);
            }
        }
    }

    /// A value written in the operation, where the schema expects `ty`.
    pub(crate) fn add_value(&mut self, ty: &Type, value: &Value, schema: &Schema, variables: &Variables) {
        let name = ty.inner_named_type();
        self.types.insert(name.clone());
        match value {
            Value::List(items) => {
                items
                    .iter()
                    .for_each(|item| self.add_value(ty.item_type(), item, schema, variables));
            }
            Value::Enum(value) => {
                self.values.insert((name.clone(), value.clone()));
            }
            Value::Object(given) => self.add_object(name, given, schema, variables),
            _ => {}
        }
    }

    fn add_object(
        &mut self,
        ty: &Name,
        given: &[(Name, apollo_compiler::Node<Value>)],
        schema: &Schema,
        variables: &Variables,
    ) {
        let Some(ExtendedType::InputObject(input)) = schema.types.get(ty) else {
            return;
        };
        for (name, field) in &input.fields {
            let value = given
                .iter()
                .find(|(given, _)| given == name)
                .map(|(_, value)| value);
            let way = value.map_or(Given::Absent, |value| variables.way_of(value));
            self.fields.insert((ty.clone(), name.clone(), way));
            if let Some(value) = value {
                self.add_value(&field.ty, value, schema, variables);
            }
        }
    }
}
