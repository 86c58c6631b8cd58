//! The data through the projection: the response's `data`, with nulls propagated.
//! <https://spec.graphql.org/September2025/#sec-Value-Completion>

use crate::error_paths::ErrorPaths;
use crate::projection::{
    FieldKind, Leaf, OutputField, OutputKind, OutputType, Projection, Selection, SelectionId, Shape,
};
use crate::response::{GraphqlError, PathElement};
use crate::value::{Object, Value};

/// Writes `data` as JSON text and appends the errors found while doing so to `errors`.
///
/// `conditions` are the values of [`Projection::condition_variables`]. The first `initial` errors were found before
/// execution; they explain missing values wherever their path leads, at any list index.
pub fn complete(
    projection: &Projection,
    conditions: &[bool],
    data: &Object<'_>,
    errors: &mut Vec<GraphqlError>,
    initial: usize,
) -> Vec<u8> {
    let mut completion = Completion {
        projection,
        conditions,
        out: Vec::with_capacity(1024),
        path: Vec::new(),
        errors,
        initial,
        explained: None,
    };
    if completion.object(projection.root, data).is_err() {
        return b"null".to_vec();
    }
    completion.out
}

struct Completion<'p, 'e> {
    projection: &'p Projection,
    conditions: &'p [bool],
    out: Vec<u8>,
    path: Vec<Step<'p>>,
    errors: &'e mut Vec<GraphqlError>,
    initial: usize,
    /// Paths that errors explain already; made when first needed.
    explained: Option<ErrorPaths>,
}

/// A step of the path being completed.
#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// The value is null where null may not be; the parent must become null instead.
struct Nulled;

impl<'p> Completion<'p, '_> {
    fn value(&mut self, ty: &'p OutputType, value: Option<&Value<'_>>) -> Result<(), Nulled> {
        let start = self.out.len();
        let completed = match (value, &ty.kind) {
            (None | Some(Value::Null), _) if ty.nullable => Err(Nulled),
            (None | Some(Value::Null), _) => self.null_not_allowed(),
            (Some(Value::Array(items)), OutputKind::List(item)) => self.list(item, items),
            (Some(Value::Object(object)), OutputKind::Composite(id)) => self.object(*id, object),
            (Some(value), OutputKind::Leaf(leaf)) => self.leaf(leaf, value),
            (Some(_), OutputKind::List(_)) => self.invalid("expected a list".to_owned()),
            (Some(_), OutputKind::Composite(id)) => {
                let name = &self.projection.selection(*id).type_name;
                self.invalid(format!("expected an object of type \"{name}\""))
            }
        };
        if completed.is_err() && ty.nullable {
            self.out.truncate(start);
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        completed
    }

    fn list(&mut self, item: &'p OutputType, items: &[Value<'_>]) -> Result<(), Nulled> {
        self.out.push(b'[');
        for (index, value) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.path.push(Step::Index(index));
            let completed = self.value(item, Some(value));
            self.path.pop();
            completed?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, id: SelectionId, object: &Object<'_>) -> Result<(), Nulled> {
        let selection = self.projection.selection(id);
        let typename = object.get("__typename").and_then(Value::as_raw_str);
        let Some(shape) = selection.shape(typename) else {
            return self.invalid(format!(
                "the object's type is not a possible type of \"{}\"",
                selection.type_name
            ));
        };
        self.fields(selection, shape, typename, object)
    }

    fn fields(
        &mut self,
        selection: &'p Selection,
        shape: &'p Shape,
        typename: Option<&str>,
        object: &Object<'_>,
    ) -> Result<(), Nulled> {
        let mut next = 0;
        let mut separator = b'{';
        for field in shape.active(self.conditions) {
            self.out.push(separator);
            separator = b',';
            self.out.extend_from_slice(field.json_key.as_bytes());
            let value = object.get_next(&field.key, &mut next);
            self.field(selection, field, typename, value)?;
        }
        self.out
            .extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
        Ok(())
    }

    fn field(
        &mut self,
        selection: &'p Selection,
        field: &'p OutputField,
        typename: Option<&str>,
        value: Option<&Value<'_>>,
    ) -> Result<(), Nulled> {
        match &field.kind {
            FieldKind::Typename => match selection.object_type(typename) {
                Some(name) => {
                    Value::String(name).write(&mut self.out);
                    Ok(())
                }
                None => {
                    self.path.push(Step::Key(&field.key));
                    let completed = self.null_not_allowed();
                    self.path.pop();
                    completed
                }
            },
            FieldKind::Introspection => {
                value.unwrap_or(&Value::Null).write(&mut self.out);
                Ok(())
            }
            FieldKind::Data(ty) => {
                // It may be there all the same: fetched as a key, or for another field's `@requires`.
                let value = value.filter(|_| field.is_permitted(self.conditions));
                self.path.push(Step::Key(&field.key));
                let completed = self.value(ty, value);
                self.path.pop();
                completed
            }
        }
    }

    /// Result coercion: <https://spec.graphql.org/September2025/#sec-Coercing-Field-Results>
    fn leaf(&mut self, leaf: &Leaf, value: &Value<'_>) -> Result<(), Nulled> {
        match (leaf, value) {
            (Leaf::Int, Value::Number(text)) => match int(text) {
                Some(integer) => Value::Number(&integer).write(&mut self.out),
                None => return self.invalid("Int cannot represent the value received".to_owned()),
            },
            (Leaf::Id, Value::Number(text))
                if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') =>
            {
                Value::String(text).write(&mut self.out);
            }
            (Leaf::Enum(definition), Value::String(name)) if definition.0.values.contains_key(*name) => {
                value.write(&mut self.out);
            }
            (Leaf::Enum(definition), _) => {
                let name = definition.0.name.clone();
                return self.invalid(format!("enum \"{name}\" cannot represent the value received"));
            }
            (Leaf::Float, Value::Number(_))
            | (Leaf::String | Leaf::Id, Value::String(_))
            | (Leaf::Boolean, Value::Bool(_))
            | (Leaf::Custom, _) => value.write(&mut self.out),
            (Leaf::Id, _) => return self.invalid("ID cannot represent the value received".to_owned()),
            (leaf, _) => return self.invalid(format!("{leaf:?} cannot represent the value received")),
        }
        Ok(())
    }

    fn null_not_allowed(&mut self) -> Result<(), Nulled> {
        let path = self.response_path();
        let explained = self
            .explained
            .get_or_insert_with(|| ErrorPaths::new(self.errors, self.initial));
        if !explained.covers(&path) {
            let message = "cannot return null for a non-nullable field".to_owned();
            self.errors
                .push(GraphqlError::new(message, "INTERNAL_SERVER_ERROR").at(path));
        }
        Err(Nulled)
    }

    fn invalid(&mut self, message: String) -> Result<(), Nulled> {
        let path = self.response_path();
        self.errors
            .push(GraphqlError::new(message, "INTERNAL_SERVER_ERROR").at(path));
        Err(Nulled)
    }

    fn response_path(&self) -> Vec<PathElement> {
        let element = |step: &Step<'_>| match step {
            Step::Key(key) => PathElement::from(*key),
            Step::Index(index) => PathElement::from(*index),
        };
        self.path.iter().map(element).collect()
    }
}

/// The text of a 32-bit integer; integral decimals such as `1.0` count as one.
fn int(text: &str) -> Option<std::borrow::Cow<'_, str>> {
    if text.parse::<i32>().is_ok() {
        return Some(text.into());
    }
    let number = text.parse::<f64>().ok()?;
    let in_range = number >= f64::from(i32::MIN) && number <= f64::from(i32::MAX);
    (number.fract() == 0.0 && in_range).then(|| format!("{number:.0}").into())
}
