//! How things are called.

use apollo_compiler::Name;
use apollo_compiler::ast::Definition;

use crate::coordinate::Coordinate;
use crate::definition::{definition_name, enum_values_of, fields_of, input_fields_of};
use crate::lint::{Breach, LintRule, Linted};

const INPUT_SUFFIXES: [&str; 5] = ["Input", "Filter", "Sort", "Order", "Where"];

/// Names of types, fields, arguments, input fields and enum values.
pub(crate) fn look(linted: &Linted<'_>, breaches: &mut Vec<Breach>) {
    for definition in &linted.subgraph.document.definitions {
        let Some(ty) = definition_name(definition).filter(|name| !name.starts_with('_')) else {
            continue;
        };
        if is_defined(definition) && !is_pascal_case(ty) {
            breaches.push(breach(
                LintRule::TypeName,
                Coordinate::Type(ty.clone()),
                ty,
                "is not PascalCase",
            ));
        }
        if matches!(definition, Definition::InputObjectTypeDefinition(_))
            && !INPUT_SUFFIXES.iter().any(|suffix| ty.ends_with(suffix))
        {
            let problem = "does not end in Input, Filter, Sort, Order or Where";
            breaches.push(breach(
                LintRule::InputTypeSuffix,
                Coordinate::Type(ty.clone()),
                ty,
                problem,
            ));
        }
        members(definition, ty, breaches);
    }
}

fn members(definition: &Definition, ty: &Name, breaches: &mut Vec<Breach>) {
    for field in fields_of(definition)
        .iter()
        .filter(|field| !field.name.starts_with('_'))
    {
        if !is_camel_case(&field.name) {
            let coordinate = Coordinate::member(ty, &field.name);
            breaches.push(breach(
                LintRule::FieldName,
                coordinate,
                &field.name,
                "is not camelCase",
            ));
        }
        for argument in field
            .arguments
            .iter()
            .filter(|argument| !is_camel_case(&argument.name))
        {
            let coordinate = Coordinate::argument(ty, &field.name, &argument.name);
            breaches.push(breach(
                LintRule::ArgumentName,
                coordinate,
                &argument.name,
                "is not camelCase",
            ));
        }
    }
    for field in input_fields_of(definition)
        .iter()
        .filter(|field| !is_camel_case(&field.name))
    {
        let coordinate = Coordinate::member(ty, &field.name);
        breaches.push(breach(
            LintRule::InputFieldName,
            coordinate,
            &field.name,
            "is not camelCase",
        ));
    }
    for value in enum_values_of(definition)
        .iter()
        .filter(|value| !is_upper_case(&value.value))
    {
        let coordinate = Coordinate::member(ty, &value.value);
        breaches.push(breach(
            LintRule::EnumValueName,
            coordinate,
            &value.value,
            "is not UPPER_CASE",
        ));
    }
}

fn breach(rule: LintRule, coordinate: Coordinate, name: &Name, problem: &str) -> Breach {
    Breach {
        rule,
        message: format!("{coordinate} {problem}"),
        coordinate,
        span: name.location(),
    }
}

fn is_defined(definition: &Definition) -> bool {
    !definition.is_extension_definition()
}

fn is_pascal_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains('_')
}

fn is_camel_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains('_')
}

fn is_upper_case(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_lowercase())
}
