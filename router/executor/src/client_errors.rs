//! What goes wrong in a fetch, as errors of the client's response: its paths, its codes.

use fondaco_planner::query_plan::{Fetch, FetchTarget};

use crate::execute::SubgraphErrors;
use crate::fetch::{Asked, PreparedFetch};
use crate::place::{Place, response_path};
use crate::projection::Projection;
use crate::representations::Representations;
use crate::response::{GraphqlError, PathElement};
use crate::rewrite::rewrite_path;
use crate::subgraph_answer::{FetchFault, SubgraphError};
use crate::value::Value;

/// Code of an error whose subgraph gave none.
const DEFAULT_CODE: &str = "DOWNSTREAM_SERVICE_ERROR";

/// One fetch that was sent, with all that its errors' paths depend on.
pub(crate) struct ErrorSite<'r> {
    pub(crate) fetch: &'r Fetch,
    pub(crate) prepared: &'r PreparedFetch,
    pub(crate) asked: &'r Asked,
    pub(crate) data: &'r Value<'r>,
    pub(crate) projection: &'r Projection,
    pub(crate) policy: SubgraphErrors,
}

impl ErrorSite<'_> {
    /// The fetch failed as a whole: an error for everything it would have brought.
    pub(crate) fn fault(&self, fault: &FetchFault) -> Vec<GraphqlError> {
        self.at_all(self.own_paths(), |path| self.fault_at(fault, path))
    }

    /// The answer for one `_entities` selection is unusable.
    pub(crate) fn selection_fault(&self, fault: &FetchFault, list: &Representations) -> Vec<GraphqlError> {
        self.at_all(vec![self.common_path(list)], |path| self.fault_at(fault, path))
    }

    /// One entity of the answer is unusable.
    pub(crate) fn entity_fault(&self, fault: &FetchFault, places: &[Place]) -> Vec<GraphqlError> {
        let paths = places
            .iter()
            .map(|place| response_path(self.data, place))
            .collect();
        self.at_all(paths, |path| self.fault_at(fault, path))
    }

    /// An error the subgraph reported, at every place in the client's response that it concerns.
    pub(crate) fn reported(&self, error: &SubgraphError<'_>) -> Vec<GraphqlError> {
        self.at_all(self.client_paths(&error.path), |path| {
            self.reported_at(error, path)
        })
    }

    fn at_all(
        &self,
        paths: Vec<Vec<PathElement>>,
        error: impl Fn(Vec<PathElement>) -> GraphqlError,
    ) -> Vec<GraphqlError> {
        let mut shown: Vec<Vec<PathElement>> = Vec::with_capacity(paths.len());
        for mut path in paths {
            path.truncate(self.projection.visible_length(&path));
            if shown.last() != Some(&path) {
                shown.push(path);
            }
        }
        if shown.iter().any(|path| !path.is_empty()) {
            shown.retain(|path| !path.is_empty());
        }
        shown.into_iter().map(error).collect()
    }

    fn fault_at(&self, fault: &FetchFault, path: Vec<PathElement>) -> GraphqlError {
        let message = match self.policy {
            SubgraphErrors::Expose => format!("Subgraph \"{}\": {fault}", self.fetch.subgraph),
            SubgraphErrors::Mask => format!("Subgraph \"{}\" gave no usable answer", self.fetch.subgraph),
        };
        let mut error = GraphqlError::new(message, fault.code()).at(path);
        error.extensions.insert("service", &*self.fetch.subgraph);
        error
    }

    fn reported_at(&self, reported: &SubgraphError<'_>, path: Vec<PathElement>) -> GraphqlError {
        let exposed = self.policy == SubgraphErrors::Expose;
        let message = match exposed {
            true => reported.message.clone(),
            false => format!("Subgraph \"{}\" reported an error", self.fetch.subgraph),
        };
        let mut error = GraphqlError::new(message, DEFAULT_CODE).at(path);
        for (key, json) in reported.extensions().filter(|(key, _)| exposed || key == "code") {
            error.extensions.insert_json(key, json);
        }
        error.extensions.insert("service", &*self.fetch.subgraph);
        error
    }

    /// Client paths of a path in the subgraph's response.
    fn client_paths(&self, path: &[PathElement]) -> Vec<Vec<PathElement>> {
        match self.asked {
            Asked::Root if path.is_empty() => self.own_paths(),
            Asked::Root => vec![self.rewritten(path)],
            Asked::RootAt(_) if path.is_empty() => self.own_paths(),
            Asked::RootAt(places) => self.below(places, &self.rewritten(path)),
            Asked::Entities(_) => match (self.list_of(path), path.get(1)) {
                (Some((list, key)), Some(PathElement::Index(index))) if *index < list.entities.len() => {
                    let path = self.rewritten(&[[PathElement::from(key)].as_slice(), &path[1..]].concat());
                    self.below(&list.entities[*index].places, &path[2..])
                }
                (Some((list, _)), _) => vec![self.common_path(list)],
                (None, _) => self.own_paths(),
            },
        }
    }

    fn below(&self, places: &[Place], path: &[PathElement]) -> Vec<Vec<PathElement>> {
        let below = |place| [&*response_path(self.data, place), path].concat();
        places.iter().map(below).collect()
    }

    /// The representations whose selection a path of the subgraph's response begins with, and the selection's key in the
    /// plan.
    fn list_of(&self, path: &[PathElement]) -> Option<(&Representations, &str)> {
        let (Asked::Entities(lists), FetchTarget::Entities(selections)) = (self.asked, &self.fetch.target)
        else {
            return None;
        };
        let PathElement::Key(key) = path.first()? else {
            return None;
        };
        let list = lists
            .iter()
            .find(|list| list.response_key == key.as_str() && !list.is_empty())?;
        Some((list, selections[list.selection].response_key.as_str()))
    }

    /// Where the fetch's data belongs: its root fields, or what the places of its entities have in common.
    fn own_paths(&self) -> Vec<Vec<PathElement>> {
        let root_paths = || {
            let keys = self.prepared.root_keys.iter();
            keys.map(|key| self.rewritten(&[PathElement::from(key.as_str())]))
        };
        match self.asked {
            Asked::Root => root_paths().collect(),
            Asked::RootAt(places) => root_paths().flat_map(|path| self.below(places, &path)).collect(),
            Asked::Entities(lists) => lists
                .iter()
                .filter(|list| !list.is_empty())
                .map(|list| self.common_path(list))
                .collect(),
        }
    }

    fn common_path(&self, list: &Representations) -> Vec<PathElement> {
        let mut places = list.entities.iter().flat_map(|entity| &entity.places);
        let Some(first) = places.next() else {
            return Vec::new();
        };
        let common = places.fold(first.len(), |length, place| {
            first[..length]
                .iter()
                .zip(place)
                .take_while(|(one, other)| one == other)
                .count()
        });
        response_path(self.data, &first[..common].into())
    }

    fn rewritten(&self, path: &[PathElement]) -> Vec<PathElement> {
        let mut path = path.to_vec();
        rewrite_path(&self.fetch.output_rewrites, &mut path);
        path
    }
}
