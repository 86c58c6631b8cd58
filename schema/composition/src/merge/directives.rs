//! Applied directives: which applications of all declarations an element of the supergraph carries.

use std::rc::Rc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, DirectiveList, Value};

use super::composed_directive::ComposedKind;
use super::field::argument_map;
use super::{Merger, Source};
use crate::code::HintCode;
use crate::join;
use crate::model::{Element, SchemaDef};

/// Directives of GraphQL itself that describe schema elements.
const BUILT_IN: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

type Applied<'a> = Source<'a, Node<Directive>>;

impl Merger<'_> {
    /// The merged applications, federation's under canonical names.
    pub(super) fn merge_directives<T: Element>(
        &mut self,
        sources: &[Source<'_, T>],
        coordinate: &str,
    ) -> Vec<Node<Directive>> {
        if sources.iter().all(|(_, element)| element.directives().is_empty()) {
            return Vec::new();
        }
        let mut merged = Vec::new();
        for composed in Rc::clone(&self.composed).iter() {
            let applied = applications(sources, &composed.canonical);
            if !applied.iter().any(|(index, _)| composed.is_wanted_by(*index)) {
                continue;
            }
            let repeatable = match &composed.kind {
                ComposedKind::Federation(spec) => spec.definition.contains("repeatable"),
                ComposedKind::Custom { definition, .. } => definition.repeatable,
            };
            merged.extend(self.merge_applications(&composed.canonical, repeatable, &applied, coordinate));
        }
        for name in BUILT_IN {
            let applied = applications(sources, name);
            if !applied.is_empty() {
                merged.extend(self.most_frequent(&applied, coordinate));
            }
        }
        merged
    }

    /// Whether applications of the directive reach the supergraph.
    pub(super) fn is_merged(&self, canonical: &str) -> bool {
        BUILT_IN.contains(&canonical)
            || self
                .composed
                .iter()
                .any(|composed| composed.canonical == canonical)
    }

    pub(super) fn merge_schema_definition(&mut self) -> SchemaDef {
        let members = self.members.iter().enumerate();
        let sources: Vec<_> = members
            .map(|(index, member)| (index, &member.subgraph.schema))
            .collect();
        SchemaDef {
            description: self.merge_description(&sources, "schema"),
            directives: DirectiveList(self.merge_directives(&sources, "schema")),
            span: None,
        }
    }

    fn merge_applications(
        &mut self,
        canonical: &str,
        repeatable: bool,
        applied: &[Applied<'_>],
        coordinate: &str,
    ) -> Vec<Node<Directive>> {
        if is_merged_by_argument(canonical) && distinct(applied).len() > 1 {
            let message = format!(
                "\"{coordinate}\" has @{} with different arguments, which are merged",
                canonical.trim_start_matches("federation__")
            );
            self.directive_hint(HintCode::MergedNonRepeatableDirectiveArguments, applied, message);
        }
        match canonical {
            "federation__requiresScopes" => vec![all_requirements(canonical, "scopes", applied)],
            "federation__policy" => vec![all_requirements(canonical, "policies", applied)],
            "federation__context" => applied
                .iter()
                .map(|(index, directive)| self.context(*index, directive))
                .collect(),
            "federation__cost" => vec![greatest_cost(applied)],
            "federation__listSize" => vec![list_size(applied)],
            _ if repeatable => distinct(applied),
            _ => self.most_frequent(applied, coordinate),
        }
    }

    /// A context belongs to its subgraph: another's of the same name is another context.
    fn context(&self, index: usize, directive: &Directive) -> Node<Directive> {
        let name = crate::model::string_argument(directive, "name").unwrap_or_default();
        let name = format!("{}__{name}", self.subgraph(index).name);
        join::directive("federation__context", vec![("name", join::string(name))])
    }

    /// One application: that with the arguments most declarations agree upon.
    fn most_frequent(&mut self, applied: &[Applied<'_>], coordinate: &str) -> Vec<Node<Directive>> {
        let unique = distinct(applied);
        if unique.len() > 1 {
            let message = format!(
                "\"{coordinate}\" has @{} with different arguments; the most frequent ones are kept",
                unique[0].name.trim_start_matches("federation__")
            );
            self.directive_hint(
                HintCode::InconsistentNonRepeatableDirectiveArguments,
                applied,
                message,
            );
        }
        let count =
            |wanted: &Node<Directive>| applied.iter().filter(|(_, other)| same(wanted, other)).count();
        let most = unique.iter().map(count).max().unwrap_or_default();
        unique
            .into_iter()
            .find(|candidate| count(candidate) == most)
            .into_iter()
            .collect()
    }

    /// A hint at the first application that is unlike the first of all.
    fn directive_hint(&mut self, code: HintCode, applied: &[Applied<'_>], message: String) {
        let unlike = applied
            .iter()
            .find(|(_, directive)| !same(directive, applied[0].1));
        let (index, directive) = unlike.unwrap_or(&applied[0]);
        let hint = self.subgraph(*index).hint(code, directive.location(), message);
        self.hints.push(hint);
    }

    /// Cache tags stay with their subgraph: `@join__directive`.
    pub(super) fn cache_tags<T: Element>(&self, sources: &[Source<'_, T>]) -> Vec<Node<Directive>> {
        let applied = applications(sources, "federation__cacheTag");
        let of = |wanted: &Node<Directive>| {
            let graphs = applied.iter().filter(|(_, other)| same(wanted, other));
            graphs
                .map(|(index, _)| Node::new(join::graph(self.graph(*index))))
                .collect()
        };
        let joined = distinct(&applied).into_iter().map(|directive| {
            let arguments = directive.arguments.iter();
            let arguments = arguments
                .map(|argument| (argument.name.clone(), argument.value.clone()))
                .collect();
            let entries = vec![
                ("graphs", Value::List(of(&directive))),
                ("name", join::string("federation__cacheTag")),
                ("args", Value::Object(arguments)),
            ];
            join::directive("join__directive", entries)
        });
        joined.collect()
    }
}

fn is_merged_by_argument(canonical: &str) -> bool {
    matches!(
        canonical,
        "federation__requiresScopes" | "federation__policy" | "federation__cost" | "federation__listSize"
    )
}

fn applications<'a, T: Element>(sources: &[Source<'a, T>], name: &str) -> Vec<Applied<'a>> {
    let all = sources
        .iter()
        .flat_map(|(index, element)| element.directives().iter().map(|directive| (*index, directive)));
    all.filter(|(_, directive)| directive.name == name).collect()
}

fn same(a: &Directive, b: &Directive) -> bool {
    argument_map(a) == argument_map(b)
}

fn distinct(applied: &[Applied<'_>]) -> Vec<Node<Directive>> {
    let mut unique: Vec<Node<Directive>> = Vec::new();
    for (_, directive) in applied {
        if !unique.iter().any(|known| same(known, directive)) {
            unique.push((*directive).clone());
        }
    }
    unique
}

/// Access needs what every declaration demands: the product of their alternatives, without redundant ones.
pub(super) fn all_requirements(
    name: &str,
    argument: &'static str,
    applied: &[Applied<'_>],
) -> Node<Directive> {
    let mut merged: Vec<Vec<String>> = vec![Vec::new()];
    for (_, directive) in applied {
        let alternatives = alternatives(directive, argument);
        let product = merged
            .iter()
            .flat_map(|left| alternatives.iter().map(move |right| union(left, right)));
        merged = without_redundant(product.collect());
    }
    let list = |items: Vec<Value>| Value::List(items.into_iter().map(Node::new).collect());
    let merged = merged
        .into_iter()
        .map(|group| list(group.into_iter().map(Value::String).collect()));
    join::directive(name, vec![(argument, list(merged.collect()))])
}

/// The alternatives of a requirement, each a sorted group that must be held as a whole.
pub(crate) fn alternatives(directive: &Directive, argument: &str) -> Vec<Vec<String>> {
    let groups = directive
        .specified_argument_by_name(argument)
        .and_then(|value| value.as_list())
        .unwrap_or_default();
    let strings = |group: &Node<Value>| {
        let mut names: Vec<String> = group
            .as_list()
            .unwrap_or_default()
            .iter()
            .filter_map(|name| name.as_str())
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        names
    };
    groups.iter().map(strings).collect()
}

fn union(left: &[String], right: &[String]) -> Vec<String> {
    let mut all: Vec<String> = left.iter().chain(right).cloned().collect();
    all.sort();
    all.dedup();
    all
}

/// An alternative that asks for more than another one grants nothing.
fn without_redundant(mut groups: Vec<Vec<String>>) -> Vec<Vec<String>> {
    groups.sort();
    groups.dedup();
    let covers = |small: &Vec<String>, large: &Vec<String>| {
        small.len() < large.len() && small.iter().all(|name| large.contains(name))
    };
    let kept: Vec<_> = groups
        .iter()
        .filter(|large| !groups.iter().any(|small| covers(small, large)))
        .cloned()
        .collect();
    kept
}

fn greatest_cost(applied: &[Applied<'_>]) -> Node<Directive> {
    let weight = |directive: &Node<Directive>| {
        directive
            .specified_argument_by_name("weight")
            .and_then(|value| value.to_i32())
            .unwrap_or(0)
    };
    let greatest = applied
        .iter()
        .map(|(_, directive)| *directive)
        .max_by_key(|directive| weight(directive));
    greatest.expect("merged only where applied").clone()
}

/// The largest assumed size, all slicing arguments and sized fields, one of them required where all require one.
fn list_size(applied: &[Applied<'_>]) -> Node<Directive> {
    let mut arguments = Vec::new();
    let values = |name: &'static str| {
        applied
            .iter()
            .filter_map(move |(_, directive)| directive.specified_argument_by_name(name))
    };
    if let Some(size) = values("assumedSize").max_by_key(|value| value.to_i32()) {
        arguments.push(("assumedSize", (**size).clone()));
    }
    for name in ["slicingArguments", "sizedFields"] {
        let mut items: Vec<Node<Value>> = Vec::new();
        for item in values(name).filter_map(|value| value.as_list()).flatten() {
            if !items.contains(item) {
                items.push(item.clone());
            }
        }
        if values(name).any(|value| !value.is_null()) {
            arguments.push((name, Value::List(items)));
        }
    }
    let mut required = values("requireOneSlicingArgument")
        .filter_map(|value| value.to_bool())
        .peekable();
    if required.peek().is_some() {
        arguments.push((
            "requireOneSlicingArgument",
            Value::Boolean(required.all(|required| required)),
        ));
    }
    join::directive("federation__listSize", arguments)
}
