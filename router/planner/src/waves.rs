//! Decides in which wave each request runs: as early as it can, or with a later one if that saves a fetch.

use std::collections::{BTreeMap, BTreeSet};

use fondaco_supergraph::SubgraphId;

use crate::fetch_graph::{Request, Target};

/// Above this number of requests none is delayed by itself, but only with all that share its fetch; above this number of
/// fetches none is delayed at all: the search would take too long.
const MAX_DELAYED: usize = 128;

/// A request, or several that run together.
struct Runner {
    subgraph: SubgraphId,
    /// Whether it can share a fetch with others of its wave.
    is_entity: bool,
    needs: BTreeSet<usize>,
}

/// The wave of each request, counted from 0.
pub(crate) fn waves(requests: &[Request]) -> Vec<usize> {
    let runners: Vec<Runner> = requests
        .iter()
        .map(|request| Runner {
            subgraph: request.subgraph,
            is_entity: matches!(request.target, Target::Entity(_)),
            needs: request.needs.clone(),
        })
        .collect();
    let mut waves = earliest(&runners);
    if runners.len() > MAX_DELAYED {
        delay_as_wholes(&runners, &mut waves);
        return waves;
    }
    for index in (0..runners.len()).rev() {
        delay_together(&runners, &mut waves, &[index]);
    }
    // What shares a fetch by now can still wait together for another.
    for group in groups(&runners, &waves).iter().rev() {
        delay_together(&runners, &mut waves, group);
    }
    waves
}

/// First wave in which each can run.
fn earliest(runners: &[Runner]) -> Vec<usize> {
    let mut waves = Vec::with_capacity(runners.len());
    for runner in runners {
        let needs = runner.needs.iter().map(|&need: &usize| 1 + waves[need]);
        waves.push(needs.max().unwrap_or(0));
    }
    waves
}

/// Those of one wave and subgraph, the first waves first.
fn groups(runners: &[Runner], waves: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<(usize, SubgraphId), Vec<usize>> = BTreeMap::new();
    for (index, runner) in runners.iter().enumerate() {
        groups
            .entry((waves[index], runner.subgraph))
            .or_default()
            .push(index);
    }
    groups.into_values().collect()
}

/// Delays what shares a fetch as if it were one request.
fn delay_as_wholes(runners: &[Runner], waves: &mut [usize]) {
    let groups = groups(runners, waves);
    if groups.len() > MAX_DELAYED {
        return;
    }
    let mut group_of = vec![0; runners.len()];
    for (group, members) in groups.iter().enumerate() {
        members.iter().for_each(|&member| group_of[member] = group);
    }
    let wholes: Vec<Runner> = groups
        .iter()
        .map(|members| Runner {
            subgraph: runners[members[0]].subgraph,
            is_entity: members.iter().all(|&member| runners[member].is_entity),
            needs: members
                .iter()
                .flat_map(|&member| &runners[member].needs)
                .map(|&need| group_of[need])
                .collect(),
        })
        .collect();
    let mut of_wholes: Vec<usize> = groups.iter().map(|members| waves[members[0]]).collect();
    for index in (0..wholes.len()).rev() {
        delay_together(&wholes, &mut of_wholes, &[index]);
    }
    for (index, wave) in waves.iter_mut().enumerate() {
        *wave = of_wholes[group_of[index]];
    }
}

/// Delays runners of one wave and subgraph to the first later wave where that saves a fetch, if there is one, and the plan
/// gets no longer.
fn delay_together(runners: &[Runner], waves: &mut Vec<usize>, together: &[usize]) {
    let first = together[0];
    let can_wait = |index: &usize| runners[*index].is_entity && waves[*index] == waves[first];
    if !together.iter().all(can_wait) {
        return;
    }
    let can_join = |other: &usize| {
        runners[*other].subgraph == runners[first].subgraph
            && runners[*other].is_entity
            && waves[*other] > waves[first]
    };
    let later: BTreeSet<usize> = (0..runners.len())
        .filter(can_join)
        .map(|other| waves[other])
        .collect();
    let last = waves.iter().copied().max().unwrap_or(0);
    let count = fetch_count(runners, waves);
    for wave in later {
        let mut moved = waves.clone();
        together.iter().for_each(|&index| moved[index] = wave);
        push_back(runners, &mut moved);
        let length = moved.iter().copied().max().unwrap_or(0);
        if length <= last && fetch_count(runners, &moved) < count {
            *waves = moved;
            return;
        }
    }
}

/// Moves runners behind what they need.
fn push_back(runners: &[Runner], waves: &mut [usize]) {
    for (index, runner) in runners.iter().enumerate() {
        for &need in &runner.needs {
            waves[index] = waves[index].max(waves[need] + 1);
        }
    }
}

fn fetch_count(runners: &[Runner], waves: &[usize]) -> usize {
    let key = |(index, runner): (usize, &'_ Runner)| {
        let own = (!runner.is_entity).then_some(index);
        (waves[index], runner.subgraph, own)
    };
    runners.iter().enumerate().map(key).collect::<BTreeSet<_>>().len()
}
