//! Introspection results as SDL: the schema of a server that knows nothing of federation.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

/// What to ask a server.
pub const QUERY: &str = "query Introspection { __schema { queryType { name } mutationType { name } subscriptionType { name } \
    types { kind name description \
    fields(includeDeprecated: true) { name description args { ...Input } type { ...Type } isDeprecated deprecationReason } \
    inputFields { ...Input } interfaces { name } \
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { name } } } } \
    fragment Input on __InputValue { name description type { ...Type } defaultValue } \
    fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    query_type: Named,
    mutation_type: Option<Named>,
    subscription_type: Option<Named>,
    types: Vec<Type>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    kind: String,
    name: String,
    description: Option<String>,
    fields: Option<Vec<Field>>,
    input_fields: Option<Vec<Input>>,
    interfaces: Option<Vec<Named>>,
    enum_values: Option<Vec<EnumValue>>,
    possible_types: Option<Vec<Named>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    description: Option<String>,
    args: Vec<Input>,
    #[serde(rename = "type")]
    ty: TypeRef,
    is_deprecated: bool,
    deprecation_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    name: String,
    description: Option<String>,
    #[serde(rename = "type")]
    ty: TypeRef,
    default_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnumValue {
    name: String,
    description: Option<String>,
    is_deprecated: bool,
    deprecation_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypeRef {
    kind: String,
    name: Option<String>,
    of_type: Option<Box<TypeRef>>,
}

/// The SDL of what a server answered to [`QUERY`] (the value of `data`).
///
/// # Errors
/// Where the answer is not an introspection result.
pub fn sdl(data: &Value) -> Result<String, String> {
    let schema = data.get("__schema").ok_or("the answer holds no __schema")?;
    let schema =
        Schema::deserialize(schema).map_err(|error| format!("not an introspection result: {error}"))?;
    let mut sdl = roots(&schema);
    for ty in schema.types.iter().filter(|ty| !is_built_in(ty)) {
        type_sdl(&mut sdl, ty)?;
    }
    Ok(sdl)
}

fn is_built_in(ty: &Type) -> bool {
    ty.name.starts_with("__") || matches!(ty.name.as_str(), "String" | "Int" | "Float" | "Boolean" | "ID")
}

fn roots(schema: &Schema) -> String {
    let mut sdl = format!("schema {{\n  query: {}\n", schema.query_type.name);
    for (kind, root) in [
        ("mutation", &schema.mutation_type),
        ("subscription", &schema.subscription_type),
    ] {
        if let Some(root) = root {
            let _ = writeln!(sdl, "  {kind}: {}", root.name);
        }
    }
    sdl + "}\n"
}

fn type_sdl(sdl: &mut String, ty: &Type) -> Result<(), String> {
    let name = &ty.name;
    sdl.push('\n');
    describe(sdl, ty.description.as_deref(), "");
    match ty.kind.as_str() {
        "SCALAR" => {
            let _ = writeln!(sdl, "scalar {name}");
        }
        "UNION" => {
            let members: Vec<&str> = ty
                .possible_types
                .iter()
                .flatten()
                .map(|member| member.name.as_str())
                .collect();
            let _ = writeln!(sdl, "union {name} = {}", members.join(" | "));
        }
        "OBJECT" | "INTERFACE" => {
            let keyword = if ty.kind == "OBJECT" { "type" } else { "interface" };
            let interfaces: Vec<&str> = ty
                .interfaces
                .iter()
                .flatten()
                .map(|interface| interface.name.as_str())
                .collect();
            let implements = if interfaces.is_empty() {
                String::new()
            } else {
                format!(" implements {}", interfaces.join(" & "))
            };
            let _ = writeln!(sdl, "{keyword} {name}{implements} {{");
            for field in ty.fields.iter().flatten() {
                field_sdl(sdl, field)?;
            }
            sdl.push_str("}\n");
        }
        "ENUM" => {
            let _ = writeln!(sdl, "enum {name} {{");
            for value in ty.enum_values.iter().flatten() {
                describe(sdl, value.description.as_deref(), "  ");
                let deprecated = deprecation(value.is_deprecated, value.deprecation_reason.as_deref());
                let _ = writeln!(sdl, "  {}{deprecated}", value.name);
            }
            sdl.push_str("}\n");
        }
        "INPUT_OBJECT" => {
            let _ = writeln!(sdl, "input {name} {{");
            for field in ty.input_fields.iter().flatten() {
                describe(sdl, field.description.as_deref(), "  ");
                let _ = writeln!(sdl, "  {}", input_sdl(field)?);
            }
            sdl.push_str("}\n");
        }
        other => return Err(format!("type {name} is of the unknown kind {other}")),
    }
    Ok(())
}

fn field_sdl(sdl: &mut String, field: &Field) -> Result<(), String> {
    describe(sdl, field.description.as_deref(), "  ");
    let arguments = field.args.iter().map(input_sdl).collect::<Result<Vec<_>, _>>()?;
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let deprecated = deprecation(field.is_deprecated, field.deprecation_reason.as_deref());
    let _ = writeln!(
        sdl,
        "  {}{arguments}: {}{deprecated}",
        field.name,
        type_text(&field.ty)?
    );
    Ok(())
}

fn input_sdl(input: &Input) -> Result<String, String> {
    let default = input
        .default_value
        .as_ref()
        .map(|default| format!(" = {default}"))
        .unwrap_or_default();
    Ok(format!("{}: {}{default}", input.name, type_text(&input.ty)?))
}

fn type_text(ty: &TypeRef) -> Result<String, String> {
    let inner = || {
        ty.of_type
            .as_deref()
            .ok_or_else(|| "a type is nested too deeply".to_owned())
            .and_then(type_text)
    };
    match ty.kind.as_str() {
        "NON_NULL" => Ok(inner()? + "!"),
        "LIST" => Ok(format!("[{}]", inner()?)),
        _ => ty.name.clone().ok_or_else(|| "a type has no name".to_owned()),
    }
}

fn deprecation(is_deprecated: bool, reason: Option<&str>) -> String {
    match (is_deprecated, reason) {
        (false, _) => String::new(),
        (true, None) => " @deprecated".to_owned(),
        (true, Some(reason)) => format!(" @deprecated(reason: {})", quoted(reason)),
    }
}

fn describe(sdl: &mut String, description: Option<&str>, indent: &str) {
    if let Some(description) = description.filter(|description| !description.trim().is_empty()) {
        let _ = writeln!(sdl, "{indent}{}", quoted(description));
    }
}

fn quoted(text: &str) -> String {
    apollo_compiler::ast::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use apollo_compiler::introspection::partial_execute;
    use apollo_compiler::request::coerce_variable_values;
    use apollo_compiler::{ExecutableDocument, Schema};

    use super::*;

    /// A schema, asked by introspection and written again, is the same schema.
    #[test]
    fn a_schema_survives_the_way() {
        let text = "interface Node implements Thing { id: ID! } interface Thing { id: ID! }
            \"A \\\"thing\\\".\" type Query implements Node & Thing { id: ID! find(by: By = {n: 1}, tags: [[String!]]!): [Any!]! old: Int @deprecated(reason: \"a \\\"b\\\"\") }
            union Any = Query | Other type Other { kind: Kind date: Date }
            enum Kind { \"The first.\" A B @deprecated(reason: \"b\") } input By { n: Int = 3 } scalar Date type Mutation { set: Int }";
        let schema = Schema::parse_and_validate(text, "schema.graphql").unwrap();
        let document = ExecutableDocument::parse_and_validate(&schema, QUERY, "query.graphql").unwrap();
        let operation = document.operations.get(None).unwrap();
        let variables = coerce_variable_values(&schema, operation, &Default::default()).unwrap();
        let response = partial_execute(
            &schema,
            &schema.implementers_map(),
            &document,
            operation,
            &variables,
        )
        .unwrap();
        let data = serde_json::to_value(&response.data).unwrap();
        let again = Schema::parse_and_validate(sdl(&data).unwrap(), "again.graphql").unwrap();
        let fields = |schema: &Schema| {
            let mut lines: Vec<String> = schema
                .to_string()
                .lines()
                .map(|line| line.trim().to_owned())
                .collect();
            lines.sort();
            lines
        };
        let (expected, found) = (fields(&schema), fields(&again));
        assert!(
            expected.iter().all(|line| found.contains(line)),
            "{expected:#?}\n{found:#?}"
        );
    }

    #[test]
    fn what_is_no_result_is_refused() {
        assert!(sdl(&serde_json::json!({})).unwrap_err().contains("__schema"));
        assert!(
            sdl(&serde_json::json!({ "__schema": {} }))
                .unwrap_err()
                .contains("queryType")
        );
    }
}
