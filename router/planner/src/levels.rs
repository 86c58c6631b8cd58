//! Objects that enclose the one being emitted: contexts take values from them, and so must wait for those.

use std::collections::BTreeSet;
use std::rc::Rc;

use apollo_compiler::Name;

use crate::fetch_graph::{ClientView, Request, Target};
use crate::position::Selected;
use crate::query_plan::PathSegment;

/// All objects met, and which of them enclose the one at hand.
#[derive(Default)]
pub(crate) struct Levels {
    all: Vec<Level>,
    /// Indexes into `all`, outermost first.
    open: Vec<usize>,
    /// What requests take from objects above theirs.
    needs: Vec<Need>,
}

struct Level {
    ty: Name,
    /// Number of path segments that lead to the object.
    depth: usize,
    view: Rc<ClientView>,
    /// Fields there, with the requests that bring them.
    brought: Vec<(Name, BTreeSet<usize>)>,
}

struct Need {
    request: usize,
    level: usize,
    key: Name,
}

impl Levels {
    pub(crate) fn enter(&mut self, ty: &Name, path: &[PathSegment], view: &Rc<ClientView>) {
        self.open.push(self.all.len());
        self.all.push(Level {
            ty: ty.clone(),
            depth: path.len(),
            view: view.clone(),
            brought: Vec::new(),
        });
    }

    pub(crate) fn leave(&mut self) {
        self.open.pop();
    }

    /// The object `up` levels above the one at hand: its type, the client's fields there, and its depth.
    pub(crate) fn above(&self, up: usize) -> (Name, Rc<ClientView>, usize) {
        let level = &self.all[self.index_above(up)];
        (level.ty.clone(), level.view.clone(), level.depth)
    }

    /// Notes which requests bring a field of the object at hand.
    pub(crate) fn bring(&mut self, selected: &Selected, key: &Name, request: Option<usize>, below: &[usize]) {
        if selected.below.is_some() && !selected.field.internal {
            return;
        }
        let level = self.index_above(0);
        let requests = request.into_iter().chain(below.iter().copied()).collect();
        self.all[level].brought.push((key.clone(), requests));
    }

    /// Notes that `request` takes the field under `key` from the object `up` levels above.
    pub(crate) fn need(&mut self, request: usize, up: usize, key: &Name) {
        self.needs.push(Need {
            request,
            level: self.index_above(up),
            key: key.clone(),
        });
    }

    fn index_above(&self, up: usize) -> usize {
        self.open[self.open.len() - 1 - up]
    }

    /// Lets requests wait for what they take from above, and puts every request after those it needs.
    pub(crate) fn order(&self, mut requests: Vec<Request>) -> Vec<Request> {
        for need in &self.needs {
            let brought = self.all[need.level].brought.iter();
            let matching = brought.filter(|(key, _)| *key == need.key);
            requests[need.request]
                .needs
                .extend(matching.flat_map(|(_, requests)| requests));
        }
        if self.needs.is_empty() {
            return requests;
        }
        reordered(requests)
    }
}

fn reordered(requests: Vec<Request>) -> Vec<Request> {
    let mut place = vec![None; requests.len()];
    let mut order: Vec<usize> = Vec::with_capacity(requests.len());
    while order.len() < requests.len() {
        let ready = (0..requests.len()).find(|&index| {
            place[index].is_none() && requests[index].needs.iter().all(|&need| place[need].is_some())
        });
        // A value that depended on itself would be a cycle; composition refuses that, and any order is then as good.
        let next = ready.or_else(|| place.iter().position(Option::is_none));
        let Some(next) = next else { break };
        place[next] = Some(order.len());
        order.push(next);
    }
    let moved = |needs: &BTreeSet<usize>, own: usize| -> BTreeSet<usize> {
        let places = needs.iter().filter_map(|&need| place[need]);
        places.filter(|&need| need < own).collect()
    };
    let mut requests: Vec<Option<Request>> = requests.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(order.len());
    for (own, &index) in order.iter().enumerate() {
        let Some(mut request) = requests[index].take() else {
            continue;
        };
        request.needs = moved(&request.needs, own);
        if let Target::Entity(lookup) = &mut request.target {
            lookup.late = moved(&lookup.late, own);
        }
        ordered.push(request);
    }
    ordered
}
