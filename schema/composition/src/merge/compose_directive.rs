//! `@composeDirective`: custom directives that subgraphs want in the supergraph, which they must agree upon.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;

use super::Member;
use super::composed_directive::{ComposedDirective, ComposedKind};
use crate::code::{Code, HintCode};
use crate::diagnostic::{Diagnostic, Hint};
use crate::link::Link;
use crate::model::{Subgraph, string_argument};

/// Federation's directives that reach the supergraph by themselves.
const BY_DEFAULT: [&str; 8] = [
    "tag",
    "inaccessible",
    "authenticated",
    "requiresScopes",
    "policy",
    "context",
    "cost",
    "listSize",
];

/// One valid application of `@composeDirective`.
struct Request<'a> {
    index: usize,
    member: &'a Member,
    applied: &'a Node<Directive>,
    /// What the subgraph calls the directive.
    local: &'a str,
    link: &'a Link,
    /// What its specification calls it.
    element: String,
}

impl Request<'_> {
    fn error(&self, message: String) -> Diagnostic {
        let code = Code::DirectiveCompositionError;
        self.member.subgraph.error(code, self.applied.location(), message)
    }
}

/// All custom directives of the supergraph, in order of name.
pub(super) fn custom_directives(
    members: &[Member],
    errors: &mut Vec<Diagnostic>,
    hints: &mut Vec<Hint>,
) -> Vec<ComposedDirective> {
    let requests = requests(members, errors, hints);
    let before = errors.len();
    let newest = newest_versions(members, &requests, errors, hints);
    check_names(members, &requests, errors, hints);
    if errors.len() > before {
        return Vec::new();
    }
    let mut composed = BTreeMap::new();
    for request in &requests {
        let Some(link) = newest.get(request.link.identity.as_str()) else {
            continue;
        };
        let same = requests
            .iter()
            .filter(|other| other.local == request.local)
            .map(|other| other.index);
        match definition(members, request, link, same.collect()) {
            Some(directive) => {
                composed.entry(request.local).or_insert(directive);
            }
            None => {
                let message = format!(
                    "\"@{}\" is composed, but no subgraph that links {} defines it",
                    request.local, link.url
                );
                errors.push(request.error(message));
            }
        }
    }
    composed.into_values().collect()
}

/// Reads the applications; each problem of one is reported.
fn requests<'a>(
    members: &'a [Member],
    errors: &mut Vec<Diagnostic>,
    hints: &mut Vec<Hint>,
) -> Vec<Request<'a>> {
    let reserved = reserved_names(members);
    let mut requests = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let subgraph = &member.subgraph;
        for applied in subgraph.schema.directives.get_all("federation__composeDirective") {
            let name = string_argument(applied, "name").unwrap_or_default();
            let Some(local) = name.strip_prefix('@') else {
                let message =
                    format!("@composeDirective needs a name that starts with \"@\", not \"{name}\"");
                errors.push(subgraph.error(Code::DirectiveCompositionError, applied.location(), message));
                continue;
            };
            if composes_itself(subgraph, local) {
                let message = format!("\"{name}\" is composed anyway: it is one of federation's own");
                hints.push(subgraph.hint(HintCode::DirectiveCompositionInfo, applied.location(), message));
                continue;
            }
            match request((index, member), applied, local, &reserved) {
                Ok(request) => requests.push(request),
                Err(message) => {
                    errors.push(subgraph.error(Code::DirectiveCompositionError, applied.location(), message));
                }
            }
        }
    }
    requests
}

fn composes_itself(subgraph: &Subgraph, local: &str) -> bool {
    let canonical = subgraph.local_names.iter().find(|(_, known)| *known == local);
    canonical.is_some_and(|(canonical, _)| BY_DEFAULT.contains(&canonical.trim_start_matches("federation__")))
}

/// What any subgraph calls `@tag` and `@inaccessible`.
fn reserved_names(members: &[Member]) -> BTreeSet<&str> {
    let names = members.iter().flat_map(|member| {
        ["federation__tag", "federation__inaccessible"]
            .iter()
            .filter_map(|canonical| member.subgraph.local_names.get(*canonical))
    });
    names.map(String::as_str).collect()
}

fn request<'a>(
    (index, member): (usize, &'a Member),
    applied: &'a Node<Directive>,
    local: &'a str,
    reserved: &BTreeSet<&str>,
) -> Result<Request<'a>, String> {
    let subgraph = &member.subgraph;
    if subgraph.local_names.values().any(|known| known == local) {
        return Err(format!(
            "\"@{local}\" belongs to federation, which decides itself what is composed"
        ));
    }
    if !subgraph.directive_definitions.contains_key(local) {
        return Err(format!(
            "@composeDirective names \"@{local}\", which the subgraph does not define"
        ));
    }
    let linked = subgraph
        .links
        .iter()
        .find_map(|link| Some((link, link.element_of(local)?)));
    let Some((link, element)) = linked else {
        return Err(format!(
            "@composeDirective names \"@{local}\", which no @link of the subgraph brings"
        ));
    };
    if link.directive_name(&element) != local {
        return Err(format!(
            "@composeDirective names \"@{local}\", which the subgraph imports as \"@{}\"",
            link.directive_name(&element)
        ));
    }
    if reserved.contains(local) {
        return Err(format!(
            "\"@{local}\" is what some subgraph calls a directive of federation that is composed"
        ));
    }
    Ok(Request {
        index,
        member,
        applied,
        local,
        link,
        element,
    })
}

/// The newest version of each specification among the subgraphs that compose directives of it; major versions exclude
/// each other.
fn newest_versions<'a>(
    members: &'a [Member],
    requests: &[Request<'a>],
    errors: &mut Vec<Diagnostic>,
    hints: &mut Vec<Hint>,
) -> BTreeMap<&'a str, &'a Link> {
    let mut newest: BTreeMap<&str, &Link> = BTreeMap::new();
    for request in requests {
        let link = request.link;
        let known = newest.entry(link.identity.as_str()).or_insert(link);
        let (version, other) = (
            link.version.unwrap_or_default(),
            known.version.unwrap_or_default(),
        );
        if version.0 != other.0 {
            let message = format!(
                "{} is linked in versions that exclude each other: {} and {}",
                link.identity, link.url, known.url
            );
            let code = Code::DirectiveCompositionError;
            errors.push(request.member.subgraph.error(code, link.span, message));
        } else if version > other {
            *known = link;
        }
    }
    for member in members {
        for link in &member.subgraph.links {
            let Some(known) = newest.get(link.identity.as_str()) else {
                continue;
            };
            let composes = requests.iter().any(|request| {
                request.member.subgraph.name == member.subgraph.name && request.link.identity == link.identity
            });
            let major = |link: &Link| link.version.unwrap_or_default().0;
            if !composes && major(link) != major(known) {
                let message = format!(
                    "{} does not go with {}, whose directives another subgraph composes",
                    link.url, known.url
                );
                hints.push(
                    member
                        .subgraph
                        .hint(HintCode::DirectiveCompositionInfo, link.span, message),
                );
            }
        }
    }
    newest
}

/// A name must mean one directive, and a directive have one name.
fn check_names(
    members: &[Member],
    requests: &[Request<'_>],
    errors: &mut Vec<Diagnostic>,
    hints: &mut Vec<Hint>,
) {
    for (index, request) in requests.iter().enumerate() {
        let earlier = &requests[..index];
        let same_element = |other: &&Request<'_>| {
            other.link.identity == request.link.identity && other.element == request.element
        };
        if let Some(other) = earlier.iter().find(|other| other.local == request.local)
            && !same_element(&other)
        {
            errors.push(request.error(format!(
                "\"@{}\" is \"@{}\" of {} here, but \"@{}\" of {} in subgraph \"{}\"",
                request.local,
                request.element,
                request.link.identity,
                other.element,
                other.link.identity,
                other.member.subgraph.name
            )));
        }
        let Some(first) = earlier.iter().find(same_element) else {
            hint_on_names(members, requests, request, hints);
            continue;
        };
        if first.local != request.local {
            errors.push(request.error(format!(
                "\"@{}\" is composed as \"@{}\" here, but as \"@{}\" by subgraph \"{}\"",
                request.element, request.local, first.local, first.member.subgraph.name
            )));
        }
    }
}

/// Subgraphs that do not compose the directive may call it otherwise, until they do.
fn hint_on_names(members: &[Member], requests: &[Request<'_>], request: &Request<'_>, hints: &mut Vec<Hint>) {
    for member in members {
        let composes = requests.iter().any(|other| {
            other.member.subgraph.name == member.subgraph.name && other.element == request.element
        });
        let links = &member.subgraph.links;
        let link = links.iter().find(|link| link.identity == request.link.identity);
        let Some(link) = link.filter(|_| !composes) else {
            continue;
        };
        let local = link.directive_name(&request.element);
        if local != request.local && member.subgraph.directive_definitions.contains_key(local.as_str()) {
            let message = format!(
                "\"@{}\" is called \"@{local}\" here, but \"@{}\" by subgraphs that compose it",
                request.element, request.local
            );
            let code = HintCode::DirectiveCompositionWarn;
            hints.push(member.subgraph.hint(code, link.span, message));
        }
    }
}

/// The definition in a subgraph that links the newest version.
fn definition(
    members: &[Member],
    request: &Request<'_>,
    newest: &Link,
    subgraphs: BTreeSet<usize>,
) -> Option<ComposedDirective> {
    members.iter().find_map(|member| {
        let mut links = member.subgraph.links.iter();
        let link = links.find(|link| link.identity == newest.identity && link.version == newest.version)?;
        let local = link.directive_name(&request.element);
        let definition = member.subgraph.directive_definitions.get(local.as_str())?;
        let mut definition = definition.clone();
        if local != request.local {
            definition.make_mut().name = apollo_compiler::Name::new(request.local).ok()?;
        }
        Some(ComposedDirective {
            canonical: request.local.to_owned(),
            local: request.local.to_owned(),
            kind: ComposedKind::Custom {
                link: Box::new(link.clone()),
                element: request.element.clone(),
                definition,
                subgraphs: subgraphs.clone(),
            },
        })
    })
}
