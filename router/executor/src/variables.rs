//! Coercion of the request's variables to the types the operation declares.
//! <https://spec.graphql.org/September2025/#sec-Coercing-Variable-Values>
//!
//! Defaults of input object fields are left to the subgraphs, whose schemas hold them too.

use std::fmt::Write;

use apollo_compiler::ast::{self, Type};
use apollo_compiler::executable::Operation;
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Name, Schema};

use crate::response::GraphqlError;
use crate::value::{Object, Value};

/// The operation's declared variables, ready to coerce values by.
#[derive(Debug)]
pub struct VariableDefinitions(Vec<VariableDefinition>);

#[derive(Debug)]
struct VariableDefinition {
    name: Name,
    ty: Type,
    /// JSON text of the default value.
    default: Option<String>,
}

/// Coerced values by variable name. A variable without value or default is absent.
#[derive(Debug, Default)]
pub struct Variables<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Variables<'a> {
    /// Value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// Appends all variables as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::default();
        for (name, value) in &self.0 {
            object.push(name, value.clone());
        }
        Value::Object(object).write(out);
    }
}

impl VariableDefinitions {
    /// Reads the definitions of a valid operation.
    pub fn new(operation: &Operation) -> Self {
        let definition = |variable: &ast::VariableDefinition| VariableDefinition {
            name: variable.name.clone(),
            ty: (*variable.ty).clone(),
            default: variable.default_value.as_ref().map(|value| json_text(value)),
        };
        Self(
            operation
                .variables
                .iter()
                .map(|variable| definition(variable))
                .collect(),
        )
    }

    /// Coerces the values a client sent: the JSON text of an object, or nothing.
    pub fn coerce<'a>(
        &'a self,
        schema: &Schema,
        json: Option<&'a str>,
    ) -> Result<Variables<'a>, Vec<GraphqlError>> {
        let mut given = given_values(json).map_err(|error| vec![error])?;
        let mut coerced = Vec::with_capacity(self.0.len());
        let mut errors = Vec::new();
        for definition in &self.0 {
            match definition.coerce(schema, given.take(&definition.name)) {
                Ok(Some(value)) => coerced.push((definition.name.as_str(), value)),
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Variables(coerced))
        } else {
            Err(errors)
        }
    }
}

impl VariableDefinition {
    fn coerce<'a>(
        &'a self,
        schema: &Schema,
        given: Option<Value<'a>>,
    ) -> Result<Option<Value<'a>>, GraphqlError> {
        let value = match (given, &self.default) {
            (Some(value), _) => value,
            (None, Some(default)) => Value::parse(default).expect("written as JSON by json_text"),
            (None, None) if self.ty.is_non_null() => {
                return Err(bad_input(format!(
                    "Variable \"${}\" of required type \"{}\" was not provided",
                    self.name, self.ty
                )));
            }
            (None, None) => return Ok(None),
        };
        let mut coercion = Coercion {
            schema,
            path: String::new(),
        };
        coercion.value(&self.ty, value).map(Some).map_err(|reason| {
            let place = match coercion.path.as_str() {
                "" => String::new(),
                path => format!(" at \"{}{path}\"", self.name),
            };
            bad_input(format!(
                "Variable \"${}\" got an invalid value{place}: {reason}",
                self.name
            ))
        })
    }
}

fn given_values(json: Option<&str>) -> Result<Object<'_>, GraphqlError> {
    match json.map(Value::parse).transpose() {
        Ok(None | Some(Value::Null)) => Ok(Object::default()),
        Ok(Some(Value::Object(object))) => Ok(object),
        Ok(Some(_)) => Err(bad_input("`variables` must be a JSON object".to_owned())),
        Err(error) => Err(bad_input(format!("`variables` could not be read: {error}"))),
    }
}

fn bad_input(message: String) -> GraphqlError {
    GraphqlError::new(message, "BAD_USER_INPUT")
}

/// Coerces one value, keeping the place inside it for messages: after an error `path` leads to the culprit.
struct Coercion<'s> {
    schema: &'s Schema,
    path: String,
}

impl Coercion<'_> {
    fn value<'a>(&mut self, ty: &Type, value: Value<'a>) -> Result<Value<'a>, String> {
        match (ty, value) {
            (Type::NonNullNamed(_) | Type::NonNullList(_), Value::Null) => {
                Err(format!("expected type \"{ty}\", found null"))
            }
            (_, Value::Null) => Ok(Value::Null),
            (Type::List(item) | Type::NonNullList(item), Value::Array(items)) => self.list(item, items),
            // A single value stands for a list of one.
            (Type::List(item) | Type::NonNullList(item), value) => {
                Ok(Value::Array(vec![self.value(item, value)?]))
            }
            (Type::Named(name) | Type::NonNullNamed(name), value) => self.named(name, value),
        }
    }

    fn list<'a>(&mut self, item: &Type, items: Vec<Value<'a>>) -> Result<Value<'a>, String> {
        let coerced = items
            .into_iter()
            .enumerate()
            .map(|(index, value)| self.within(format_args!("[{index}]"), |this| this.value(item, value)));
        coerced.collect::<Result<_, _>>().map(Value::Array)
    }

    fn named<'a>(&mut self, name: &Name, value: Value<'a>) -> Result<Value<'a>, String> {
        match self.schema.types.get(name) {
            Some(ExtendedType::Scalar(_)) => scalar(name, value),
            Some(ExtendedType::Enum(definition)) => enum_value(definition, value),
            Some(ExtendedType::InputObject(definition)) => self.input_object(definition, value),
            _ => Err(format!("\"{name}\" is not an input type")),
        }
    }

    fn input_object<'a>(
        &mut self,
        definition: &InputObjectType,
        value: Value<'a>,
    ) -> Result<Value<'a>, String> {
        let Value::Object(object) = value else {
            return Err(format!("expected an object of type \"{}\"", definition.name));
        };
        self.check_fields(definition, &object)?;
        let mut coerced = Object::default();
        for (key, value) in object {
            if coerced.get(key).is_some() {
                continue;
            }
            let field = &definition.fields[key];
            let value = self.within(format_args!(".{key}"), |this| this.value(&field.ty, value))?;
            coerced.push(key, value);
        }
        Ok(Value::Object(coerced))
    }

    fn check_fields(&mut self, definition: &InputObjectType, object: &Object<'_>) -> Result<(), String> {
        let name = &definition.name;
        if let Some((key, _)) = object
            .iter()
            .find(|(key, _)| !definition.fields.contains_key(*key))
        {
            return Err(format!("field \"{key}\" is not defined by type \"{name}\""));
        }
        for field in definition.fields.values().filter(|field| field.is_required()) {
            if object.get(&field.name).is_none() {
                return Err(format!(
                    "field \"{}\" of required type \"{}\" was not provided",
                    field.name, field.ty
                ));
            }
        }
        if definition.directives.has("oneOf")
            && (object.len() != 1 || object.iter().any(|(_, value)| value.is_null()))
        {
            return Err(format!(
                "exactly one non-null field must be given for OneOf type \"{name}\""
            ));
        }
        Ok(())
    }

    /// Runs `coerce` one step deeper; after success the path is as before.
    fn within<T>(
        &mut self,
        step: std::fmt::Arguments<'_>,
        coerce: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let length = self.path.len();
        write!(self.path, "{step}").expect("writing to a string cannot fail");
        let value = coerce(self)?;
        self.path.truncate(length);
        Ok(value)
    }
}

fn enum_value<'a>(definition: &EnumType, value: Value<'a>) -> Result<Value<'a>, String> {
    match value.as_raw_str() {
        Some(name) if definition.values.contains_key(name) => Ok(value),
        Some(name) => Err(format!(
            "value \"{name}\" does not exist in enum \"{}\"",
            definition.name
        )),
        None => Err(format!("enum \"{}\" is given as a string", definition.name)),
    }
}

/// Built-in scalars by the specification; custom scalars are the subgraphs' business.
fn scalar<'a>(name: &str, value: Value<'a>) -> Result<Value<'a>, String> {
    match (name, value) {
        ("Int", Value::Number(text)) => {
            let integer = integer_text(text).filter(|digits| digits.parse::<i32>().is_ok());
            integer
                .map(Value::Number)
                .ok_or_else(|| format!("Int cannot represent {text}"))
        }
        ("ID", Value::Number(text)) => integer_text(text)
            .map(Value::String)
            .ok_or_else(|| format!("ID cannot represent {text}")),
        ("Float", Value::Number(text)) if !text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Err(format!("Float cannot represent {text}"))
        }
        ("Float", value @ Value::Number(_))
        | ("String" | "ID", value @ Value::String(_))
        | ("Boolean", value @ Value::Bool(_)) => Ok(value),
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => {
            Err(format!("expected a value of type \"{name}\""))
        }
        (_, value) => Ok(value),
    }
}

/// The digits of an integral number: `7` and `7.0` are integers, `7.5` and `7e0` are not taken for one.
fn integer_text(text: &str) -> Option<&str> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    let integral = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (integral && fraction.bytes().all(|byte| byte == b'0')).then_some(digits)
}

/// A constant GraphQL value as JSON text.
fn json_text(value: &ast::Value) -> String {
    match value {
        ast::Value::Null | ast::Value::Variable(_) => "null".to_owned(),
        ast::Value::Boolean(value) => value.to_string(),
        ast::Value::Int(number) => number.as_str().to_owned(),
        ast::Value::Float(number) => number.as_str().to_owned(),
        ast::Value::Enum(name) => format!("\"{name}\""),
        ast::Value::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        ast::Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| json_text(item)).collect();
            format!("[{}]", items.join(","))
        }
        ast::Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("\"{name}\":{}", json_text(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}
