//! What a partial plan costs: waves first, then fetches, then entity selections, then how late fields arrive, then fields.

use std::cmp::Ordering;

use fondaco_supergraph::SubgraphId;
use smallvec::SmallVec;

/// Cost of what hangs below one position of the response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// For each wave after the one that fetches the position: the subgraphs called, as bits.
    ///
    /// Calls to one subgraph in one wave are one request, so costs join by union. Beyond 128 subgraphs
    /// two may share a bit, which only makes the estimate coarser.
    waves: SmallVec<[u128; 4]>,
    selections: u32,
    /// Sum over the fields of the wave that brings them: of equal plans, the one that has more data sooner is better.
    lateness: u32,
    fields: u32,
}

impl Cost {
    /// Number of sequential waves.
    pub(crate) fn depth(&self) -> usize {
        self.waves.len()
    }

    /// Counts a call to `subgraph` in wave `wave`, counted from 1.
    pub(crate) fn call(&mut self, subgraph: SubgraphId, wave: usize) {
        self.waves.resize(self.waves.len().max(wave), 0);
        self.waves[wave - 1] |= 1 << (subgraph.0 % 128);
        self.selections = self.selections.saturating_add(1);
    }

    /// Counts a field that comes `wave` waves after the position.
    pub(crate) fn field(&mut self, wave: usize) {
        self.fields = self.fields.saturating_add(1);
        self.lateness = self.lateness.saturating_add(wave as u32);
    }

    /// Adds what `other` costs, begun `shift` waves later.
    pub(crate) fn join(&mut self, other: &Cost, shift: usize) {
        if !other.waves.is_empty() {
            self.waves
                .resize(self.waves.len().max(other.waves.len() + shift), 0);
        }
        for (index, calls) in other.waves.iter().enumerate() {
            self.waves[index + shift] |= calls;
        }
        // What is planned once may count many times: types multiply at every level.
        let later = other.fields.saturating_mul(shift as u32);
        self.selections = self.selections.saturating_add(other.selections);
        self.lateness = self.lateness.saturating_add(other.lateness).saturating_add(later);
        self.fields = self.fields.saturating_add(other.fields);
    }

    /// Whether nothing that could still be added makes this the worse of the two: it calls no subgraph in a wave in
    /// which `other` does not, and is no worse in the rest. This is the search's admissible bound.
    pub(crate) fn dominates(&self, other: &Cost) -> bool {
        let calls = |cost: &Cost, wave: usize| cost.waves.get(wave).copied().unwrap_or(0);
        let within = (0..self.waves.len()).all(|wave| calls(self, wave) & !calls(other, wave) == 0);
        let rest = |cost: &Cost| (cost.selections, cost.lateness, cost.fields);
        within && self.depth() <= other.depth() && rest(self) <= rest(other)
    }

    fn fetches(&self) -> u32 {
        self.waves.iter().map(|calls| calls.count_ones()).sum()
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |cost: &Cost| {
            (
                cost.depth(),
                cost.fetches(),
                cost.selections,
                cost.lateness,
                cost.fields,
            )
        };
        rank(self).cmp(&rank(other))
    }
}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
