//! An operation without its values: what is written down of it.
//!
//! Numbers, texts and booleans become 0, "" and false, values of custom scalars "", aliases numbers. What stays are names
//! that the schema or the client's code defines: fields, fragments, variables, input fields, enum values. `@skip` and
//! `@include` keep their constants, which decide what the operation selects.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{
    Argument, DirectiveList, Field, Fragment, Operation, Selection, SelectionSet,
};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};

/// The text of an operation, with the fragments it needs, on one line.
pub fn signature(schema: &Schema, document: &ExecutableDocument, operation: &Operation) -> Arc<str> {
    let mut writer = Writer {
        schema,
        document,
        aliases: HashMap::new(),
        fragments: Vec::new(),
    };
    let mut operation = operation.clone();
    for variable in &mut operation.variables {
        let variable = variable.make_mut();
        if let Some(default) = &mut variable.default_value {
            *default = Node::new(writer.value(&variable.ty, default));
        }
        writer.directives(&mut variable.directives);
    }
    writer.directives(&mut operation.directives);
    writer.selections(&mut operation.selection_set);
    let mut text = operation.serialize().no_indent().to_string();
    // The list grows while it is read: a fragment may need others.
    let mut next = 0;
    while let Some(name) = writer.fragments.get(next).cloned() {
        next += 1;
        if let Some(fragment) = document.fragments.get(&name) {
            let mut fragment: Fragment = (**fragment).clone();
            writer.directives(&mut fragment.directives);
            writer.selections(&mut fragment.selection_set);
            let _ = write!(text, " {}", fragment.serialize().no_indent());
        }
    }
    text.into()
}

struct Writer<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    aliases: HashMap<Name, Name>,
    fragments: Vec<Name>,
}

impl Writer<'_> {
    fn selections(&mut self, set: &mut SelectionSet) {
        for selection in &mut set.selections {
            match selection {
                Selection::Field(field) => self.field(field.make_mut()),
                Selection::InlineFragment(fragment) => {
                    let fragment = fragment.make_mut();
                    self.directives(&mut fragment.directives);
                    self.selections(&mut fragment.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    let spread = spread.make_mut();
                    self.directives(&mut spread.directives);
                    let known = self.fragments.contains(&spread.fragment_name);
                    if !known && self.document.fragments.contains_key(&spread.fragment_name) {
                        self.fragments.push(spread.fragment_name.clone());
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &mut Field) {
        if let Some(alias) = &mut field.alias {
            *alias = self.alias(alias);
        }
        let definition = field.definition.clone();
        self.arguments(&mut field.arguments, Some(&definition));
        self.directives(&mut field.directives);
        self.selections(&mut field.selection_set);
    }

    /// One name for one alias, so that fields which share a response key still do.
    fn alias(&mut self, alias: &Name) -> Name {
        let number = self.aliases.len() + 1;
        let fresh = || Name::new_unchecked(&format!("_{number}"));
        self.aliases.entry(alias.clone()).or_insert_with(fresh).clone()
    }

    fn arguments(&self, arguments: &mut [Node<Argument>], definition: Option<&FieldDefinition>) {
        for argument in arguments {
            let expected = definition.and_then(|definition| definition.argument_by_name(&argument.name));
            let value = match expected {
                Some(expected) => self.value(&expected.ty, &argument.value),
                None => untyped(&argument.value),
            };
            argument.make_mut().value = Node::new(value);
        }
    }

    fn directives(&self, directives: &mut DirectiveList) {
        for directive in &mut directives.0 {
            if !matches!(directive.name.as_str(), "skip" | "include") {
                self.arguments(&mut directive.make_mut().arguments, None);
            }
        }
    }

    /// The value's shape, where the schema expects `ty`.
    fn value(&self, ty: &Type, value: &Value) -> Value {
        let definition = self.schema.types.get(ty.inner_named_type());
        match (value, definition) {
            (Value::Null | Value::Variable(_), _) => value.clone(),
            (_, Some(ExtendedType::Scalar(scalar))) if !scalar.is_built_in() => Value::String(String::new()),
            (Value::List(items), _) => list(items.iter().map(|item| self.value(ty.item_type(), item))),
            (Value::Object(fields), Some(ExtendedType::InputObject(input))) => {
                let shape = |(name, value): &(Name, Node<Value>)| {
                    let expected = input.fields.get(name);
                    let value = expected.map_or_else(|| untyped(value), |field| self.value(&field.ty, value));
                    (name.clone(), Node::new(value))
                };
                Value::Object(fields.iter().map(shape).collect())
            }
            _ => untyped(value),
        }
    }
}

/// Equal items stand once: how many there are is a value too.
fn list(items: impl Iterator<Item = Value>) -> Value {
    let mut unique: Vec<Node<Value>> = Vec::new();
    for item in items {
        if unique.iter().all(|known| **known != item) {
            unique.push(Node::new(item));
        }
    }
    Value::List(unique)
}

fn untyped(value: &Value) -> Value {
    match value {
        Value::Null | Value::Variable(_) | Value::Enum(_) => value.clone(),
        Value::String(_) => Value::String(String::new()),
        Value::Boolean(_) => Value::Boolean(false),
        Value::Int(_) => Value::Int(0.into()),
        Value::Float(_) => Value::Float(0.0.into()),
        Value::List(items) => list(items.iter().map(|item| untyped(item))),
        Value::Object(_) => Value::Object(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::ExecutableDocument;

    use super::*;

    const SCHEMA: &str = "type Query { find(id: ID, by: By, ids: [ID], at: Date, on: Boolean, sort: Sort): Query name: String }
        input By { id: ID n: Int nested: By } enum Sort { UP DOWN } scalar Date directive @trace(with: String) on FIELD";

    fn check(operation: &str, expected: &str) {
        let schema = Schema::parse_and_validate(SCHEMA, "schema.graphql").unwrap();
        let document =
            ExecutableDocument::parse_and_validate(&schema, operation, "operation.graphql").unwrap();
        let found = signature(&schema, &document, document.operations.get(None).unwrap());
        assert_eq!(&*found, expected);
        ExecutableDocument::parse_and_validate(&schema, &*found, "signature.graphql")
            .unwrap_or_else(|error| panic!("{found} is not valid: {}", error.errors));
    }

    #[test]
    fn values_are_gone_and_names_stay() {
        check(
            "query A { find(id: \"secret\", by: { id: 7, n: 42, nested: { n: 1 } }, on: true, sort: UP) { name } }",
            "query A { find(id: \"\", by: {id: 0, n: 0, nested: {n: 0}}, on: false, sort: UP) { name } }",
        );
        check(
            "{ find(ids: [\"a\", \"b\"], at: { day: \"secret\" }) { name @trace(with: \"secret\") } }",
            "{ find(ids: [\"\"], at: \"\") { name @trace(with: \"\") } }",
        );
        check(
            "query A($id: ID = \"secret\") { find(id: $id) { name @include(if: true) } }",
            "query A($id: ID = \"\") { find(id: $id) { name @include(if: true) } }",
        );
        check(
            "{ secret1: find(id: 1) { x: name } secret2: find(id: null) { name } }",
            "{ _1: find(id: 0) { _2: name } _3: find(id: null) { name } }",
        );
    }

    #[test]
    fn needed_fragments_stand_behind() {
        check(
            "fragment B on Query { find(id: 3) { name } } { ...A } fragment A on Query { ...B name }",
            "{ ...A } fragment A on Query { ...B name } fragment B on Query { find(id: 0) { name } }",
        );
    }
}
