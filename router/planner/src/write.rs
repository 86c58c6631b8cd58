//! Writes the operation that a fetch sends.

use std::collections::BTreeSet;
use std::fmt::Write;

use apollo_compiler::ast::{Argument, Directive, OperationType, Type, VariableDefinition};
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
    /// Fields of equal selections that are written out for each type.
    pub(crate) max_repeated_fields: usize,
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
    let (text, variables) = write_head(head, used, &[], true);
    let mut body = Body::new(text, head);
    body.tree(tree, 1);
    let text = body.finish();
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
    let (text, variables) = write_head(head, used, &own, false);
    let mut body = Body::new(text, head);
    body.text.push('{');
    for selection in selections {
        if selection.response_key != "_entities" {
            push(&mut body.text, format_args!("{}:", selection.response_key));
        }
        push(
            &mut body.text,
            format_args!("_entities(representations:${})", selection.variable),
        );
        body.tree(selection.tree, 1);
    }
    body.text.push('}');
    let text = body.finish();
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

/// The selections of an operation while they are written.
struct Body<'t> {
    text: String,
    max_repeated_fields: usize,
    /// Selections that are written once and spread: they belong to several types.
    shared: Vec<(&'t Name, &'t Tree)>,
}

impl<'t> Body<'t> {
    fn new(text: String, head: &Head<'_>) -> Self {
        Body {
            text,
            max_repeated_fields: head.max_repeated_fields,
            shared: Vec::new(),
        }
    }

    /// Appends the fragments that were spread.
    fn finish(mut self) -> String {
        let mut next = 0;
        while let Some(&(on, tree)) = self.shared.get(next) {
            push(&mut self.text, format_args!("fragment _f{next} on {on}"));
            self.tree(tree, 1);
            next += 1;
        }
        self.text
    }

    /// Writes a selection set that is written `times` times.
    fn tree(&mut self, tree: &'t Tree, times: usize) {
        self.text.push('{');
        for field in &tree.fields {
            self.field(field, times);
        }
        for (types, tree) in &tree.fragments {
            for on in types {
                separate(&mut self.text);
                push(&mut self.text, format_args!("...on {on}"));
                self.tree(tree, times.saturating_mul(types.len()));
            }
        }
        self.text.push('}');
    }

    /// Writes a field. `@skip` and `@include` may stand only once on it, so further conditions become fragments around it.
    fn field(&mut self, field: &'t TreeField, times: usize) {
        let (last, outer) = match field.conditions.split_last() {
            Some((last, outer)) => (Some(last), outer),
            None => (None, &[][..]),
        };
        for condition in outer {
            separate(&mut self.text);
            self.text.push_str("...");
            write_condition(&mut self.text, condition);
            self.text.push('{');
        }
        separate(&mut self.text);
        if field.key != field.name {
            push(&mut self.text, format_args!("{}:", field.key));
        }
        self.text.push_str(&field.name);
        write_arguments(&mut self.text, &field.arguments);
        if let Some(condition) = last {
            write_condition(&mut self.text, condition);
        }
        write_directives(&mut self.text, &field.directives);
        if let Some(below) = &field.below {
            self.below(field, below, times);
        }
        outer.iter().for_each(|_| self.text.push('}'));
    }

    fn below(&mut self, field: &'t TreeField, tree: &'t Tree, times: usize) {
        if times == 1 || tree.expanded_size().saturating_mul(times) <= self.max_repeated_fields {
            return self.tree(tree, times);
        }
        let known = self
            .shared
            .iter()
            .position(|(_, known)| std::ptr::eq(*known, tree));
        let number = known.unwrap_or_else(|| {
            self.shared.push((field.ty.inner_named_type(), tree));
            self.shared.len() - 1
        });
        push(&mut self.text, format_args!("{{..._f{number}}}"));
    }
}

fn write_arguments(text: &mut String, arguments: &[Node<Argument>]) {
    let mut separator = '(';
    for argument in arguments {
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
