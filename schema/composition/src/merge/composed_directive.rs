//! Which directives reach the supergraph: federation's own that have a specification there, and those named by
//! `@composeDirective`.

use std::collections::BTreeSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveList};

use super::{Member, compose_directive};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Hint};
use crate::federation_spec::{DIRECTIVES, SpecDirective};
use crate::link::Link;
use crate::model::Subgraph;

/// A directive of the supergraph.
#[derive(Debug, Clone)]
pub(crate) struct ComposedDirective {
    /// Its name in the model.
    pub(crate) canonical: String,
    /// Its name in the printed supergraph.
    pub(crate) local: String,
    pub(crate) kind: ComposedKind,
}

impl ComposedDirective {
    /// Whether applications of the subgraph alone would reach the supergraph.
    pub(super) fn is_wanted_by(&self, subgraph: usize) -> bool {
        match &self.kind {
            ComposedKind::Federation(_) => true,
            ComposedKind::Custom { subgraphs, .. } => subgraphs.contains(&subgraph),
        }
    }
}

/// Where a composed directive comes from.
#[derive(Debug, Clone)]
pub(crate) enum ComposedKind {
    Federation(&'static SpecDirective),
    Custom {
        link: Box<Link>,
        element: String,
        definition: Node<DirectiveDefinition>,
        /// The subgraphs, by index, that compose it.
        subgraphs: BTreeSet<usize>,
    },
}

/// Collects the composed directives; every problem of `@composeDirective` is reported.
pub(crate) fn composed_directives(
    members: &[Member],
    errors: &mut Vec<Diagnostic>,
    hints: &mut Vec<Hint>,
) -> Vec<ComposedDirective> {
    let mut composed = Vec::new();
    for spec in DIRECTIVES.iter().filter(|spec| spec.supergraph.is_some()) {
        composed.extend(federation_directive(spec, members, errors));
    }
    composed.extend(compose_directive::custom_directives(members, errors, hints));
    composed
}

fn federation_directive(
    spec: &'static SpecDirective,
    members: &[Member],
    errors: &mut Vec<Diagnostic>,
) -> Option<ComposedDirective> {
    let canonical = format!("federation__{}", spec.name);
    let mut local: Option<(&str, &Subgraph)> = None;
    for member in members.iter().filter(|member| uses(&member.subgraph, &canonical)) {
        let Some(name) = member.subgraph.local_names.get(&canonical) else {
            continue;
        };
        match local {
            None => local = Some((name, &member.subgraph)),
            Some((first, other)) if first != name => {
                let message = format!(
                    "@{} is called @{first} in subgraph \"{}\", but @{name} here; all must use one name",
                    spec.name, other.name
                );
                let span = member.subgraph.links.first().and_then(|link| link.span);
                errors.push(member.subgraph.error(Code::LinkImportNameMismatch, span, message));
            }
            Some(_) => {}
        }
    }
    let (local, _) = local?;
    Some(ComposedDirective {
        canonical,
        local: local.to_owned(),
        kind: ComposedKind::Federation(spec),
    })
}

/// Whether the subgraph applies the directive anywhere.
fn uses(subgraph: &Subgraph, canonical: &str) -> bool {
    let has = |directives: &DirectiveList| directives.has(canonical);
    let in_definitions = || {
        let definitions = subgraph.directive_definitions.values();
        let mut arguments = definitions.flat_map(|definition| &definition.arguments);
        let local = subgraph.local_names.get(canonical);
        arguments.any(|argument| local.is_some_and(|local| argument.directives.has(local)))
    };
    has(&subgraph.schema.directives)
        || in_definitions()
        || subgraph.types.values().any(|ty| {
            has(&ty.directives)
                || ty.fields.values().any(|field| {
                    has(&field.directives)
                        || field.arguments.values().any(|argument| has(&argument.directives))
                })
                || ty.inputs.values().any(|input| has(&input.directives))
                || ty.values.values().any(|value| has(&value.directives))
        })
}
