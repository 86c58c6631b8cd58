//! Writes the operation that a fetch sends.

use std::collections::BTreeSet;
use std::fmt::Write;

use apollo_compiler::ast::{Directive, OperationType, Type, VariableDefinition};
use apollo_compiler::{Name, Node};

use crate::query_plan::Condition;
use crate::selection_tree::{Tree, TreeField, directive_variables};

/// One `_entities` selection to be written.
pub(crate) struct EntitySelection<'t> {
    pub(crate) response_key: &'t Name,
    pub(crate) variable: &'t Name,
    /// Variables filled from contexts.
    pub(crate) contexts: Vec<(&'t Name, &'t Type)>,
    pub(crate) tree: &'t Tree,
}

/// What stands before an operation's selections.
pub(crate) struct Head<'h> {
    pub(crate) operation_type: OperationType,
    pub(crate) name: Option<&'h Name>,
    pub(crate) directives: Vec<Node<Directive>>,
    /// The client's variables.
    pub(crate) variables: &'h [Node<VariableDefinition>],
}

/// An operation's text, and the client variables it uses.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) variables: Vec<Name>,
}

/// Writes root fields.
pub(crate) fn root(head: &Head<'_>, tree: &Tree) -> Written {
    let mut used = BTreeSet::new();
    tree.variables(&mut used);
    let (mut text, variables) = write_head(head, used, &[], true);
    write_tree(&mut text, tree);
    Written { text, variables }
}

/// Writes entity look-ups.
pub(crate) fn entities(head: &Head<'_>, selections: &[EntitySelection<'_>]) -> Written {
    let mut used = BTreeSet::new();
    selections
        .iter()
        .for_each(|selection| selection.tree.variables(&mut used));
    let mut own: Vec<(&Name, String)> = Vec::new();
    for selection in selections {
        own.push((selection.variable, "[_Any!]!".to_owned()));
        own.extend(
            selection
                .contexts
                .iter()
                .map(|(name, ty)| (*name, ty.to_string())),
        );
    }
    let (mut text, variables) = write_head(head, used, &own, false);
    text.push('{');
    for selection in selections {
        if selection.response_key != "_entities" {
            push(&mut text, format_args!("{}:", selection.response_key));
        }
        push(
            &mut text,
            format_args!("_entities(representations:${})", selection.variable),
        );
        write_tree(&mut text, selection.tree);
    }
    text.push('}');
    Written { text, variables }
}

/// Writes what stands before the braces, and returns the client's variables that are used. A query that has nothing
/// there may be written without its keyword.
fn write_head(
    head: &Head<'_>,
    mut used: BTreeSet<Name>,
    own: &[(&Name, String)],
    may_be_bare: bool,
) -> (String, Vec<Name>) {
    directive_variables(&head.directives, &mut used);
    let definitions = used_definitions(&used, head.variables);
    let is_bare = head.operation_type == OperationType::Query
        && head.name.is_none()
        && head.directives.is_empty()
        && definitions.is_empty();
    let mut text = String::new();
    if !(may_be_bare && is_bare) {
        text.push_str(head.operation_type.name());
    }
    if let Some(name) = head.name {
        push(&mut text, format_args!(" {name}"));
    }
    write_definitions(&mut text, own, &definitions);
    write_directives(&mut text, &head.directives);
    (text, names(&definitions))
}

fn used_definitions<'d>(
    used: &BTreeSet<Name>,
    definitions: &'d [Node<VariableDefinition>],
) -> Vec<&'d Node<VariableDefinition>> {
    definitions
        .iter()
        .filter(|definition| used.contains(&definition.name))
        .collect()
}

fn names(definitions: &[&Node<VariableDefinition>]) -> Vec<Name> {
    definitions
        .iter()
        .map(|definition| definition.name.clone())
        .collect()
}

fn write_definitions(text: &mut String, own: &[(&Name, String)], definitions: &[&Node<VariableDefinition>]) {
    if own.is_empty() && definitions.is_empty() {
        return;
    }
    let mut separator = '(';
    for (variable, ty) in own {
        push(text, format_args!("{separator}${variable}:{ty}"));
        separator = ',';
    }
    for definition in definitions {
        push(
            text,
            format_args!("{separator}${}:{}", definition.name, definition.ty),
        );
        if let Some(default) = &definition.default_value {
            push(text, format_args!("={}", default.serialize().no_indent()));
        }
        separator = ',';
    }
    text.push(')');
}

fn write_tree(text: &mut String, tree: &Tree) {
    text.push('{');
    for field in &tree.fields {
        write_field(text, field);
    }
    for (on, tree) in &tree.fragments {
        separate(text);
        push(text, format_args!("...on {on}"));
        write_tree(text, tree);
    }
    text.push('}');
}

/// Writes a field. `@skip` and `@include` may stand only once on it, so further conditions become fragments around it.
fn write_field(text: &mut String, field: &TreeField) {
    let (last, outer) = match field.conditions.split_last() {
        Some((last, outer)) => (Some(last), outer),
        None => (None, &[][..]),
    };
    for condition in outer {
        separate(text);
        text.push_str("...");
        write_condition(text, condition);
        text.push('{');
    }
    separate(text);
    if field.key != field.name {
        push(text, format_args!("{}:", field.key));
    }
    text.push_str(&field.name);
    let mut separator = '(';
    for argument in &field.arguments {
        push(
            text,
            format_args!(
                "{separator}{}:{}",
                argument.name,
                argument.value.serialize().no_indent()
            ),
        );
        separator = ',';
    }
    if separator == ',' {
        text.push(')');
    }
    if let Some(condition) = last {
        write_condition(text, condition);
    }
    write_directives(text, &field.directives);
    if let Some(below) = &field.below {
        write_tree(text, below);
    }
    outer.iter().for_each(|_| text.push('}'));
}

fn write_directives(text: &mut String, directives: &[Node<Directive>]) {
    for directive in directives {
        push(text, format_args!("{}", directive.serialize().no_indent()));
    }
}

fn write_condition(text: &mut String, condition: &Condition) {
    let directive = if condition.expected { "include" } else { "skip" };
    push(text, format_args!("@{directive}(if:${})", condition.variable));
}

/// Names in a row need a space; braces and parentheses do not.
fn separate(text: &mut String) {
    if !text.ends_with(['{', '}']) {
        text.push(' ');
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string succeeds");
}
