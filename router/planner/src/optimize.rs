//! Merges requests of one wave to one subgraph into one fetch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveLocation, OperationType, Type};
use apollo_compiler::executable::Operation;
use fondaco_supergraph::{SubgraphId, Supergraph};

use crate::fetch_graph::{Request, Target, merge_representation_field};
use crate::normalize::forwarded;
use crate::query_plan::{
    Condition, ContextVariable, EntityFetch, Fetch, FetchId, FetchTarget, OutputRewrite, PathSegment,
    Representation,
};
use crate::selection_tree::Tree;
use crate::waves::waves;
use crate::write;

/// What is common to the fetches of a plan.
pub(crate) struct Output<'a> {
    pub(crate) supergraph: &'a Supergraph,
    pub(crate) operation: &'a Operation,
    pub(crate) max_repeated_fields: usize,
}

/// A fetch is identified by wave, subgraph and kind.
type GroupKey<'r> = (usize, SubgraphId, Kind<'r>);

/// Requests of one kind may share a fetch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind<'r> {
    Root,
    RootAt(&'r [PathSegment]),
    Entities,
}

impl Kind<'_> {
    fn of(request: &Request) -> Kind<'_> {
        match &request.target {
            Target::Root => Kind::Root,
            Target::RootAt(path) => Kind::RootAt(path),
            Target::Entity(_) => Kind::Entities,
        }
    }
}

/// Entity look-ups that share one `_entities` selection.
struct Selection {
    paths: Vec<Vec<PathSegment>>,
    representations: Vec<Representation>,
    tree: Tree,
    conditions: Vec<Condition>,
    contexts: Vec<ContextVariable>,
    context_types: Vec<Type>,
    /// Requests without which values would be missing in the representations, though the objects are there.
    late: BTreeSet<usize>,
}

/// Merges requests into fetches, in topological order.
pub(crate) fn fetches(requests: Vec<Request>, output: &Output<'_>) -> Vec<Fetch> {
    let groups = groups(&requests);
    let mut fetch_of = vec![FetchId(0); requests.len()];
    for (id, members) in groups.iter().enumerate() {
        members.iter().for_each(|&member| fetch_of[member] = FetchId(id));
    }
    let mut requests: Vec<Option<Request>> = requests.into_iter().map(Some).collect();
    let fetches = groups.into_iter().enumerate().map(|(id, members)| {
        let members: Vec<Request> = members
            .iter()
            .filter_map(|&member| requests[member].take())
            .collect();
        let needs: BTreeSet<FetchId> = members
            .iter()
            .flat_map(|member| &member.needs)
            .map(|&need| fetch_of[need])
            .collect();
        fetch(FetchId(id), members, needs.into_iter().collect(), output)
    });
    fetches.collect()
}

/// Requests that share a fetch, the fetches in topological order.
fn groups(requests: &[Request]) -> Vec<Vec<usize>> {
    let waves = waves(requests);
    let mut groups: BTreeMap<GroupKey<'_>, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        groups
            .entry((waves[index], request.subgraph, Kind::of(request)))
            .or_default()
            .push(index);
    }
    join_equal_roots(requests, groups)
}

/// Root fields asked for at several places of the response are asked for once.
fn join_equal_roots(requests: &[Request], groups: BTreeMap<GroupKey<'_>, Vec<usize>>) -> Vec<Vec<usize>> {
    let mut joined: Vec<Vec<usize>> = Vec::with_capacity(groups.len());
    let mut roots: Vec<(usize, SubgraphId, Tree, usize)> = Vec::new();
    for ((wave, subgraph, kind), members) in groups {
        if matches!(kind, Kind::RootAt(_)) {
            let mut tree = Tree::default();
            members
                .iter()
                .for_each(|&member| tree.merge(requests[member].tree.clone()));
            let equal = |known: &&(usize, SubgraphId, Tree, usize)| {
                (known.0, known.1) == (wave, subgraph) && known.2 == tree
            };
            if let Some((.., group)) = roots.iter().find(equal) {
                joined[*group].extend(members);
                continue;
            }
            roots.push((wave, subgraph, tree, joined.len()));
        }
        joined.push(members);
    }
    joined
}

fn fetch(id: FetchId, members: Vec<Request>, depends_on: Vec<FetchId>, output: &Output<'_>) -> Fetch {
    let first = members.first().expect("a group has members");
    let subgraph = Arc::clone(&output.supergraph.subgraph(first.subgraph).name);
    let operation_type = match &first.target {
        Target::Root => output.operation.operation_type,
        _ => OperationType::Query,
    };
    let operation_name = operation_name(output, &subgraph, id);
    let head = write::Head {
        operation_type,
        name: operation_name.as_ref(),
        directives: operation_directives(output, operation_type),
        variables: &output.operation.variables,
        max_repeated_fields: output.max_repeated_fields,
    };
    let (target, rest) = match &first.target {
        Target::Root => (FetchTarget::Root, root_fetch(members, &head)),
        Target::RootAt(_) => (FetchTarget::RootAt(paths(&members)), root_fetch(members, &head)),
        Target::Entity(_) => entity_fetch(members, &head),
    };
    Fetch {
        subgraph,
        depends_on,
        operation_type,
        operation: rest.written.text.into(),
        operation_name,
        variables: rest.written.variables,
        conditions: rest.conditions,
        target,
        output_rewrites: rest.output_rewrites,
    }
}

/// Where the root fields of a fetch belong.
fn paths(members: &[Request]) -> Vec<Vec<PathSegment>> {
    let mut paths: Vec<Vec<PathSegment>> = Vec::new();
    for member in members {
        if let Target::RootAt(path) = &member.target
            && !paths.contains(path)
        {
            paths.push(path.clone());
        }
    }
    paths
}

/// The client's name for the operation, the subgraph and the fetch: `Home__product__0`, as subgraphs' logs show it.
fn operation_name(output: &Output<'_>, subgraph: &str, id: FetchId) -> Option<Name> {
    let name = output.operation.name.as_ref()?;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let subgraph: String = subgraph.chars().map(plain).collect();
    let name = format!("{name}__{subgraph}__{}", id.0);
    Some(Name::new(&name).expect("a name followed by letters, digits and underscores is a name"))
}

/// Directives of the client's operation, as far as they may stand on this fetch's.
fn operation_directives(
    output: &Output<'_>,
    operation_type: OperationType,
) -> Vec<apollo_compiler::Node<apollo_compiler::ast::Directive>> {
    let location = match operation_type {
        OperationType::Mutation => DirectiveLocation::Mutation,
        _ => DirectiveLocation::Query,
    };
    let definitions = &output.supergraph.api_schema().directive_definitions;
    let mut directives = forwarded(&output.operation.directives);
    directives.retain(|directive| {
        definitions
            .get(&directive.name)
            .is_some_and(|definition| definition.locations.contains(&location))
    });
    directives
}

/// What differs between kinds of fetches.
struct Body {
    written: write::Written,
    conditions: Vec<Condition>,
    output_rewrites: Vec<OutputRewrite>,
}

fn root_fetch(members: Vec<Request>, head: &write::Head<'_>) -> Body {
    let mut tree = Tree::default();
    members.into_iter().for_each(|member| tree.merge(member.tree));
    let conditions = tree.lift_conditions();
    let mut output_rewrites = Vec::new();
    tree.prune();
    tree.resolve_clashes(&[], &mut output_rewrites);
    Body {
        written: write::root(head, &tree),
        conditions,
        output_rewrites,
    }
}

fn entity_fetch(members: Vec<Request>, head: &write::Head<'_>) -> (FetchTarget, Body) {
    let mut selections = merge_lookups(members);
    let conditions = common_conditions(&mut selections);
    let mut output_rewrites = Vec::new();
    let single = selections.len() == 1;
    let mut trees = Vec::new();
    let mut entities = Vec::new();
    for (index, mut selection) in selections.into_iter().enumerate() {
        let (response_key, variable) = names(single, index);
        let path = [PathSegment::Key(response_key.clone())];
        selection.tree.prune();
        selection.tree.resolve_clashes(&path, &mut output_rewrites);
        trees.push((selection.tree, selection.context_types));
        entities.push(EntityFetch {
            response_key,
            variable,
            paths: selection.paths,
            representations: selection.representations,
            conditions: selection.conditions,
            contexts: selection.contexts,
        });
    }
    let to_write: Vec<write::EntitySelection<'_>> = entities
        .iter()
        .zip(&trees)
        .map(|(entity, (tree, types))| {
            let contexts = entity.contexts.iter().map(|context| &context.variable);
            write::EntitySelection {
                response_key: &entity.response_key,
                variable: &entity.variable,
                contexts: contexts.zip(types).collect(),
                tree,
            }
        })
        .collect();
    let body = Body {
        written: write::entities(head, &to_write),
        conditions,
        output_rewrites,
    };
    (FetchTarget::Entities(entities), body)
}

fn names(single: bool, index: usize) -> (Name, Name) {
    let (key, variable) = if single {
        ("_entities".to_owned(), "representations".to_owned())
    } else {
        (format!("_e{index}"), format!("representations{index}"))
    };
    let name = |text: &str| Name::new(text).expect("letters, digits and underscores are a name");
    (name(&key), name(&variable))
}

/// Merges look-ups at one place, then equal look-ups at several places.
fn merge_lookups(members: Vec<Request>) -> Vec<Selection> {
    let mut selections: Vec<Selection> = Vec::new();
    for member in members {
        let Target::Entity(lookup) = member.target else {
            continue;
        };
        let conditions = member.tree.common_conditions();
        let here = selections.iter_mut().find(|selection| {
            // Values of equal representations are there whenever one of the two wants them.
            let equal = selection.representations == lookup.representations;
            let fits =
                |other: &Representation| lookup.representations.iter().all(|one| compatible(other, one));
            let joinable =
                || selection.conditions == conditions && selection.representations.iter().all(fits);
            selection.paths[0] == lookup.path
                && selection.contexts == lookup.contexts
                && selection.late == lookup.late
                && (equal || joinable())
        });
        match here {
            Some(selection) => {
                for representation in lookup.representations {
                    add_representation(&mut selection.representations, representation);
                }
                selection.tree.merge(member.tree);
                selection
                    .conditions
                    .retain(|condition| conditions.contains(condition));
            }
            None => selections.push(Selection {
                paths: vec![lookup.path],
                representations: lookup.representations,
                tree: member.tree,
                conditions,
                contexts: lookup.contexts,
                context_types: lookup.context_types,
                late: lookup.late,
            }),
        }
    }
    let mut merged: Vec<Selection> = Vec::new();
    for mut selection in selections {
        selection.conditions = selection.tree.lift_conditions();
        let twin = merged.iter_mut().find(|other| {
            other.tree == selection.tree
                && other.representations == selection.representations
                && other.conditions == selection.conditions
                && other.contexts.is_empty()
                && selection.contexts.is_empty()
        });
        match twin {
            Some(twin) => twin.paths.extend(selection.paths),
            None => merged.push(selection),
        }
    }
    merged
}

/// Whether one object could be represented for both at once, or is never represented for both.
fn compatible(a: &Representation, b: &Representation) -> bool {
    if a.on_types != b.on_types {
        return !a.on_types.iter().any(|object| b.on_types.contains(object));
    }
    let keys = |representation: &Representation| {
        representation
            .fields
            .iter()
            .filter(|field| field.is_key)
            .cloned()
            .collect::<Vec<_>>()
    };
    let clashes = a.fields.iter().any(|field| {
        b.fields
            .iter()
            .any(|other| other.name == field.name && other.response_key != field.response_key)
    });
    a.typename == b.typename && keys(a) == keys(b) && !clashes
}

fn add_representation(representations: &mut Vec<Representation>, representation: Representation) {
    match representations
        .iter_mut()
        .find(|other| other.on_types == representation.on_types)
    {
        None => representations.push(representation),
        Some(known) => {
            for field in representation.fields {
                merge_representation_field(&mut known.fields, field);
            }
        }
    }
}

/// Moves conditions shared by all selections to the fetch.
fn common_conditions(selections: &mut [Selection]) -> Vec<Condition> {
    let Some(first) = selections.first() else {
        return Vec::new();
    };
    let mut common = first.conditions.clone();
    common.retain(|condition| {
        selections
            .iter()
            .all(|selection| selection.conditions.contains(condition))
    });
    for selection in selections {
        selection
            .conditions
            .retain(|condition| !common.contains(condition));
    }
    common
}
