//! Which directives reach the supergraph: federation's own that have a specification there, and those named by
//! `@composeDirective`.

use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveList};

use super::Member;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::federation_spec::{DIRECTIVES, SpecDirective};
use crate::link::Link;
use crate::model::{Subgraph, string_argument};

/// A directive of the supergraph.
#[derive(Debug, Clone)]
pub(crate) struct ComposedDirective {
    /// Its name in the model.
    pub(crate) canonical: String,
    /// Its name in the printed supergraph.
    pub(crate) local: String,
    pub(crate) kind: ComposedKind,
}

/// Where a composed directive comes from.
#[derive(Debug, Clone)]
pub(crate) enum ComposedKind {
    Federation(&'static SpecDirective),
    Custom {
        link: Link,
        element: String,
        definition: Node<DirectiveDefinition>,
    },
}

/// Collects the composed directives; every problem of `@composeDirective` is reported.
pub(crate) fn composed_directives(
    members: &[Member],
    errors: &mut Vec<Diagnostic>,
) -> Vec<ComposedDirective> {
    let mut composed = Vec::new();
    for spec in DIRECTIVES.iter().filter(|spec| spec.supergraph.is_some()) {
        composed.extend(federation_directive(spec, members, errors));
    }
    for member in members {
        for directive in member
            .subgraph
            .schema
            .directives
            .get_all("federation__composeDirective")
        {
            let name = string_argument(directive, "name").unwrap_or_default();
            match custom_directive(name, &member.subgraph) {
                Ok(found) => add_custom(found, &member.subgraph, &mut composed, errors),
                Err(message) => errors.push(member.subgraph.error(
                    Code::DirectiveCompositionError,
                    directive.location(),
                    message,
                )),
            }
        }
    }
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

fn custom_directive(name: &str, subgraph: &Subgraph) -> Result<ComposedDirective, String> {
    let Some(local) = name.strip_prefix('@') else {
        return Err(format!(
            "@composeDirective needs a name that starts with \"@\", not \"{name}\""
        ));
    };
    if subgraph.local_names.values().any(|known| known == local) {
        return Err(format!(
            "\"{name}\" belongs to federation, which decides itself what is composed"
        ));
    }
    let Some(definition) = subgraph.directive_definitions.get(local) else {
        return Err(format!(
            "@composeDirective names \"{name}\", which the subgraph does not define"
        ));
    };
    let linked = subgraph
        .links
        .iter()
        .find_map(|link| Some((link, link.element_of(local)?)));
    let Some((link, element)) = linked else {
        return Err(format!(
            "@composeDirective names \"{name}\", which no @link of the subgraph brings"
        ));
    };
    let kind = ComposedKind::Custom {
        link: link.clone(),
        element,
        definition: definition.clone(),
    };
    Ok(ComposedDirective {
        canonical: local.to_owned(),
        local: local.to_owned(),
        kind,
    })
}

/// Adds a custom directive, or merges it with the one another subgraph composes under that name.
fn add_custom(
    found: ComposedDirective,
    subgraph: &Subgraph,
    composed: &mut Vec<ComposedDirective>,
    errors: &mut Vec<Diagnostic>,
) {
    let ComposedKind::Custom { link, element, .. } = &found.kind else {
        return;
    };
    let mut fail = |message: String| {
        errors.push(subgraph.error(Code::DirectiveCompositionError, link.span, message));
    };
    let Some(known) = composed.iter_mut().find(|known| known.local == found.local) else {
        return composed.push(found);
    };
    let ComposedKind::Custom {
        link: other,
        element: other_element,
        ..
    } = &known.kind
    else {
        return fail(format!(
            "\"@{}\" is already the name of a federation directive in the supergraph",
            found.local
        ));
    };
    if other.identity != link.identity || other_element != element {
        return fail(format!(
            "\"@{}\" is composed from {} here, but from {} by another subgraph",
            found.local, link.identity, other.identity
        ));
    }
    let (version, other_version) = (
        link.version.unwrap_or_default(),
        other.version.unwrap_or_default(),
    );
    if version.0 != other_version.0 {
        return fail(format!(
            "{} is linked in versions that exclude each other: {} and {}",
            link.identity, link.url, other.url
        ));
    }
    if version > other_version {
        *known = found;
    }
}

/// Whether the subgraph applies the directive anywhere.
fn uses(subgraph: &Subgraph, canonical: &str) -> bool {
    let has = |directives: &DirectiveList| directives.has(canonical);
    has(&subgraph.schema.directives)
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
