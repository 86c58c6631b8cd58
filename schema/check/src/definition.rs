//! Uniform access to the definitions of a document, whatever their kind and whether they define or extend.

use apollo_compiler::ast::{Definition, EnumValueDefinition, FieldDefinition, InputValueDefinition};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

/// Name of the type a definition defines or extends.
pub(crate) fn definition_name(definition: &Definition) -> Option<&Name> {
    match definition {
        Definition::DirectiveDefinition(_)
        | Definition::OperationDefinition(_)
        | Definition::FragmentDefinition(_)
        | Definition::SchemaDefinition(_)
        | Definition::SchemaExtension(_) => None,
        other => other.name(),
    }
}

/// The fields of an object or interface type.
pub(crate) fn fields_of(definition: &Definition) -> &[Node<FieldDefinition>] {
    match definition {
        Definition::ObjectTypeDefinition(ty) => &ty.fields,
        Definition::ObjectTypeExtension(ty) => &ty.fields,
        Definition::InterfaceTypeDefinition(ty) => &ty.fields,
        Definition::InterfaceTypeExtension(ty) => &ty.fields,
        _ => &[],
    }
}

/// The fields of an input object type.
pub(crate) fn input_fields_of(definition: &Definition) -> &[Node<InputValueDefinition>] {
    match definition {
        Definition::InputObjectTypeDefinition(ty) => &ty.fields,
        Definition::InputObjectTypeExtension(ty) => &ty.fields,
        _ => &[],
    }
}

/// The values of an enum type.
pub(crate) fn enum_values_of(definition: &Definition) -> &[Node<EnumValueDefinition>] {
    match definition {
        Definition::EnumTypeDefinition(ty) => &ty.values,
        Definition::EnumTypeExtension(ty) => &ty.values,
        _ => &[],
    }
}

/// Span and text of a field, input field or enum value. The span is that of the name's line, past a description.
pub(crate) fn member_of(definition: &Definition, member: &Name) -> Option<(Option<SourceSpan>, String)> {
    let field = fields_of(definition).iter().find(|field| field.name == *member);
    if let Some(field) = field {
        return Some((field.name.location(), field.to_string()));
    }
    let input = input_fields_of(definition)
        .iter()
        .find(|field| field.name == *member);
    if let Some(input) = input {
        return Some((input.name.location(), input.to_string()));
    }
    let value = enum_values_of(definition)
        .iter()
        .find(|value| value.value == *member)?;
    Some((value.value.location(), value.to_string()))
}

/// Span and text of a field's argument.
pub(crate) fn argument_of(
    definition: &Definition,
    field: &Name,
    argument: &Name,
) -> Option<(Option<SourceSpan>, String)> {
    let field = fields_of(definition)
        .iter()
        .find(|candidate| candidate.name == *field)?;
    let argument = field.argument_by_name(argument)?;
    Some((argument.name.location(), argument.to_string()))
}
