//! Schedules requests into waves and merges those of one wave to one subgraph into one fetch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apollo_compiler::ast::{OperationType, VariableDefinition};
use apollo_compiler::{Name, Node};
use fondaco_supergraph::{SubgraphId, Supergraph};

use crate::fetch_graph::{Request, merge_representation_field};
use crate::query_plan::{Condition, EntityFetch, Fetch, FetchId, FetchTarget, PathSegment, Representation};
use crate::selection_tree::Tree;
use crate::write;

/// Above this number of requests, none is delayed to join another: the search would take too long.
const MAX_DELAYED: usize = 64;

/// What is common to the fetches of a plan.
pub(crate) struct Output<'a> {
    pub(crate) supergraph: &'a Supergraph,
    pub(crate) operation_type: OperationType,
    pub(crate) variables: &'a [Node<VariableDefinition>],
}

/// A fetch is identified by wave, subgraph and kind.
type GroupKey = (usize, SubgraphId, bool);

/// Entity look-ups that share one `_entities` selection.
struct Selection {
    paths: Vec<Vec<PathSegment>>,
    representations: Vec<Representation>,
    tree: Tree,
    conditions: Vec<Condition>,
}

/// Merges requests into fetches, in topological order.
pub(crate) fn fetches(requests: Vec<Request>, output: &Output<'_>) -> Vec<Fetch> {
    let waves = delay(&requests, earliest(&requests));
    let mut groups: BTreeMap<GroupKey, Vec<usize>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        groups
            .entry((waves[index], request.subgraph, request.entity.is_some()))
            .or_default()
            .push(index);
    }
    let mut fetch_of = vec![FetchId(0); requests.len()];
    for (id, members) in groups.values().enumerate() {
        members.iter().for_each(|&member| fetch_of[member] = FetchId(id));
    }
    let mut requests: Vec<Option<Request>> = requests.into_iter().map(Some).collect();
    groups
        .into_values()
        .map(|members| {
            let members: Vec<Request> = members
                .iter()
                .filter_map(|&member| requests[member].take())
                .collect();
            let needs: BTreeSet<FetchId> = members
                .iter()
                .flat_map(|member| &member.needs)
                .map(|&need| fetch_of[need])
                .collect();
            fetch(members, needs.into_iter().collect(), output)
        })
        .collect()
}

/// First wave in which each request can run.
fn earliest(requests: &[Request]) -> Vec<usize> {
    let mut waves = Vec::with_capacity(requests.len());
    for request in requests {
        let wave = request
            .needs
            .iter()
            .map(|&need: &usize| 1 + waves[need])
            .max()
            .unwrap_or(0);
        waves.push(wave);
    }
    waves
}

/// Delays requests that can wait, where they then share a fetch with a later one and the plan gets no longer.
fn delay(requests: &[Request], mut waves: Vec<usize>) -> Vec<usize> {
    if requests.len() > MAX_DELAYED {
        return waves;
    }
    let last = waves.iter().copied().max().unwrap_or(0);
    for index in (0..requests.len()).rev() {
        let later: Vec<usize> = (0..requests.len())
            .filter(|&other| {
                requests[other].subgraph == requests[index].subgraph
                    && requests[other].entity.is_some()
                    && requests[index].entity.is_some()
                    && waves[other] > waves[index]
            })
            .map(|other| waves[other])
            .collect();
        for wave in later {
            let mut moved = waves.clone();
            moved[index] = wave;
            push_back(requests, &mut moved);
            let length = moved.iter().copied().max().unwrap_or(0);
            if length <= last && fetch_count(requests, &moved) < fetch_count(requests, &waves) {
                waves = moved;
                break;
            }
        }
    }
    waves
}

/// Moves requests behind what they need.
fn push_back(requests: &[Request], waves: &mut [usize]) {
    for (index, request) in requests.iter().enumerate() {
        for &need in &request.needs {
            waves[index] = waves[index].max(waves[need] + 1);
        }
    }
}

fn fetch_count(requests: &[Request], waves: &[usize]) -> usize {
    let key =
        |(index, request): (usize, &Request)| (waves[index], request.subgraph, request.entity.is_some());
    requests
        .iter()
        .enumerate()
        .map(key)
        .collect::<BTreeSet<GroupKey>>()
        .len()
}

fn fetch(members: Vec<Request>, depends_on: Vec<FetchId>, output: &Output<'_>) -> Fetch {
    let subgraph = members.first().map_or(SubgraphId(0), |member| member.subgraph);
    let subgraph = Arc::clone(&output.supergraph.subgraph(subgraph).name);
    let is_root = members.iter().all(|member| member.entity.is_none());
    if is_root {
        root_fetch(subgraph, members, depends_on, output)
    } else {
        entity_fetch(subgraph, members, depends_on, output)
    }
}

fn root_fetch(
    subgraph: Arc<str>,
    members: Vec<Request>,
    depends_on: Vec<FetchId>,
    output: &Output<'_>,
) -> Fetch {
    let mut tree = Tree::default();
    members.into_iter().for_each(|member| tree.merge(member.tree));
    let conditions = tree.lift_conditions();
    let mut output_rewrites = Vec::new();
    tree.prune();
    tree.resolve_clashes(&[], &mut output_rewrites);
    let written = write::root(output.operation_type, &tree, output.variables);
    Fetch {
        subgraph,
        depends_on,
        operation_type: output.operation_type,
        operation: written.text.into(),
        operation_name: None,
        variables: written.variables,
        conditions,
        target: FetchTarget::Root,
        output_rewrites,
    }
}

fn entity_fetch(
    subgraph: Arc<str>,
    members: Vec<Request>,
    depends_on: Vec<FetchId>,
    output: &Output<'_>,
) -> Fetch {
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
        trees.push(selection.tree);
        entities.push(EntityFetch {
            response_key,
            variable,
            paths: selection.paths,
            representations: selection.representations,
            conditions: selection.conditions,
        });
    }
    let to_write: Vec<write::EntitySelection<'_>> = entities
        .iter()
        .zip(&trees)
        .map(|(entity, tree)| write::EntitySelection {
            response_key: &entity.response_key,
            variable: &entity.variable,
            tree,
        })
        .collect();
    let written = write::entities(&to_write, output.variables);
    Fetch {
        subgraph,
        depends_on,
        operation_type: OperationType::Query,
        operation: written.text.into(),
        operation_name: None,
        variables: written.variables,
        conditions,
        target: FetchTarget::Entities(entities),
        output_rewrites,
    }
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
    for mut member in members {
        let Some(lookup) = member.entity else { continue };
        let conditions = member.tree.lift_conditions();
        let here = selections.iter_mut().find(|selection| {
            selection.paths[0] == lookup.path
                && selection.conditions == conditions
                && selection
                    .representations
                    .iter()
                    .all(|other| compatible(other, &lookup.representation))
        });
        match here {
            Some(selection) => {
                add_representation(&mut selection.representations, lookup.representation);
                selection.tree.merge(member.tree);
            }
            None => selections.push(Selection {
                paths: vec![lookup.path],
                representations: vec![lookup.representation],
                tree: member.tree,
                conditions,
            }),
        }
    }
    let mut merged: Vec<Selection> = Vec::new();
    for selection in selections {
        let twin = merged.iter_mut().find(|other| {
            other.tree == selection.tree
                && other.representations == selection.representations
                && other.conditions == selection.conditions
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
