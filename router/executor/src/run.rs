//! One run of a plan: starts every fetch as soon as what it depends on is merged, and merges what comes back.

use std::sync::OnceLock;

use apollo_compiler::Schema;
use bytes::Bytes;
use fondaco_planner::query_plan::{Fetch, FetchId, FetchTarget};
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::client_errors::ErrorSite;
use crate::execute::{Executor, RequestHeaders};
use crate::fetch::Asked;
use crate::merge::{merge, merge_objects};
use crate::place::{Place, typename, value_at_mut};
use crate::prepared::PreparedOperation;
use crate::representations::{Representations, RequestedEntity};
use crate::response::GraphqlError;
use crate::rewrite::rewrite;
use crate::schedule::Schedule;
use crate::subgraph_answer::{FetchFault, SubgraphAnswer};
use crate::transport::{SubgraphRequest, SubgraphResponse, TransportError};
use crate::value::{Object, Value, unescape_names};
use crate::variables::Variables;

/// The state of a run. Values in `data` borrow from `answers`.
pub(crate) struct Run<'a> {
    executor: &'a Executor,
    operation: &'a PreparedOperation,
    variables: &'a Variables<'a>,
    headers: &'a dyn RequestHeaders,
    answers: &'a [OnceLock<Bytes>],
    data: Value<'a>,
    errors: Vec<GraphqlError>,
}

/// A fetch whose call has ended.
struct Called {
    id: FetchId,
    asked: Asked,
    result: Result<SubgraphResponse, TransportError>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        executor: &'a Executor,
        operation: &'a PreparedOperation,
        variables: &'a Variables<'a>,
        headers: &'a dyn RequestHeaders,
        answers: &'a [OnceLock<Bytes>],
        errors: Vec<GraphqlError>,
    ) -> Self {
        let data = Value::Object(Object::default());
        Self {
            executor,
            operation,
            variables,
            headers,
            answers,
            data,
            errors,
        }
    }

    /// Runs every fetch of the plan.
    pub(crate) async fn run_fetches(&mut self) {
        let mut schedule = Schedule::new(&self.operation.plan);
        let mut calls = FuturesUnordered::new();
        loop {
            while let Some(id) = schedule.next_ready() {
                match self.start(id) {
                    Some(call) => calls.push(call),
                    None => schedule.finish(id),
                }
            }
            let Some(called) = calls.next().await else { break };
            let id = called.id;
            self.finish(called);
            schedule.finish(id);
        }
    }

    /// Merges root fields.
    pub(crate) fn merge_root(&mut self, value: Value<'a>) {
        merge(&self.operation.schema, &mut self.data, value);
    }

    /// The data of the response and the errors, in the order they arose.
    pub(crate) fn into_parts(self) -> (Object<'a>, Vec<GraphqlError>) {
        match self.data {
            Value::Object(data) => (data, self.errors),
            _ => unreachable!("the root is an object from the start and merging keeps it one"),
        }
    }

    /// The call of a fetch; `None` if there is nothing to fetch.
    fn start(&mut self, id: FetchId) -> Option<BoxFuture<'a, Called>> {
        let fetch = self.fetch(id);
        let mut keyless = Vec::new();
        let asked = Asked::new(fetch, self.variables, &self.data, &mut keyless);
        for object in &keyless {
            self.nullify(id, object.selection, &object.place);
        }
        let asked = asked?;
        let body = self.operation.fetches[id.0].body(fetch, &asked, self.variables);
        let request = self.request(fetch, body.into());
        let transport = &self.executor.transport;
        Some(Box::pin(async move {
            let result = match request {
                Some(request) => transport.call(request).await,
                None => Err(TransportError::Unknown(fetch.subgraph.clone())),
            };
            Called { id, asked, result }
        }))
    }

    /// What is not looked up for want of a key, or is not found, is null, also to subgraphs that require it.
    fn nullify(&mut self, id: FetchId, selection: usize, place: &Place) {
        if let Some(Value::Object(target)) = value_at_mut(&mut self.data, place) {
            for key in self.operation.fetches[id.0].entity_keys(selection) {
                if target.get(key).is_none() {
                    target.push(key, Value::Null);
                }
            }
        }
    }

    fn fetch(&self, id: FetchId) -> &'a Fetch {
        &self.operation.plan.fetches[id.0]
    }

    fn request(&self, fetch: &Fetch, body: Bytes) -> Option<SubgraphRequest> {
        let url = self.executor.urls.get(&*fetch.subgraph)?;
        Some(SubgraphRequest {
            subgraph: fetch.subgraph.clone(),
            url: url.clone(),
            headers: self.headers.headers(&fetch.subgraph, url.path()),
            body,
            timeout: self.executor.config.timeout,
            max_response_bytes: self.executor.config.max_response_bytes,
        })
    }

    /// Takes in what a call brought: data first, so that errors can name its places.
    fn finish(&mut self, called: Called) {
        let Called { id, asked, result } = called;
        let answer = result
            .map_err(FetchFault::from)
            .and_then(|response| self.read(id, response));
        match answer {
            Ok(SubgraphAnswer { data, errors }) => {
                let explained = !errors.is_empty();
                if let Some(data) = data {
                    self.merge_answer(id, &asked, data, explained);
                }
                for error in &errors {
                    self.report(id, &asked, |site| site.reported(error));
                }
            }
            Err(fault) => {
                let subgraph = &*self.fetch(id).subgraph;
                tracing::warn!(subgraph, error.code = fault.code(), error = %fault, "subgraph fetch failed");
                self.report(id, &asked, |site| site.fault(&fault));
            }
        }
    }

    /// Parses an answer, keeping its text for as long as the run lasts.
    fn read(&self, id: FetchId, response: SubgraphResponse) -> Result<SubgraphAnswer<'a>, FetchFault> {
        let not_text = |_| FetchFault::Malformed("it is not UTF-8");
        let text = std::str::from_utf8(&response.body).map_err(not_text)?;
        let body = unescape_names(text).map_or_else(|| response.body.clone(), Bytes::from);
        let kept = self.answers[id.0].get_or_init(|| body);
        let text = std::str::from_utf8(kept).map_err(not_text)?;
        SubgraphAnswer::read(response.status, &response.headers, text)
    }

    fn merge_answer(&mut self, id: FetchId, asked: &Asked, mut data: Object<'a>, explained: bool) {
        let fetch = self.fetch(id);
        match (asked, &fetch.target) {
            (Asked::Entities(lists), FetchTarget::Entities(selections)) => {
                for list in lists.iter().filter(|list| !list.is_empty()) {
                    // Rewrites name the plan's key, which a list has that is its selection's only one.
                    let key = &*selections[list.selection].response_key;
                    let mut own = Object::default();
                    if let Some(entities) = data.take(&list.response_key) {
                        own.push(key, entities);
                    }
                    rewrite(&fetch.output_rewrites, &mut own);
                    self.merge_entities(id, asked, list, own.take(key), explained);
                }
            }
            (Asked::RootAt(places), _) => {
                rewrite(&fetch.output_rewrites, &mut data);
                for place in places {
                    merge_at(
                        &self.operation.schema,
                        &mut self.data,
                        place,
                        Value::Object(data.clone()),
                    );
                }
            }
            _ => {
                rewrite(&fetch.output_rewrites, &mut data);
                self.merge_root(Value::Object(data));
            }
        }
    }

    /// Merges the entities of one selection, each at every place that has its representation.
    fn merge_entities(
        &mut self,
        id: FetchId,
        asked: &Asked,
        list: &Representations,
        entities: Option<Value<'a>>,
        explained: bool,
    ) {
        let fault = match entities {
            Some(Value::Array(entities)) if entities.len() == list.entities.len() => {
                for (entity, requested) in entities.into_iter().zip(&list.entities) {
                    match entity {
                        // Federation's `_entities`: null is an entity that the subgraph does not have. With an error, nothing
                        // is known about it, and nothing is asked for that requires it.
                        Value::Null if explained => {}
                        Value::Null => {
                            for place in &requested.places {
                                self.nullify(id, list.selection, place);
                            }
                        }
                        entity => self.merge_entity(id, asked, requested, entity),
                    }
                }
                return;
            }
            None | Some(Value::Null) if explained => return,
            None | Some(Value::Null) => "`_entities` is missing",
            Some(Value::Array(entities)) if entities.len() < list.entities.len() => {
                "`_entities` has fewer items than representations were sent"
            }
            Some(Value::Array(_)) => "`_entities` has more items than representations were sent",
            Some(_) => "`_entities` is not a list",
        };
        let fault = FetchFault::Malformed(fault);
        self.report(id, asked, |site| site.selection_fault(&fault, list));
    }

    fn merge_entity(&mut self, id: FetchId, asked: &Asked, requested: &RequestedEntity, entity: Value<'a>) {
        let fault = match &entity {
            Value::Object(object) if !self.is_expected_type(object, requested) => {
                "an entity has a type that was not asked for"
            }
            Value::Object(_) => {
                let (last, others) = requested.places.split_last().expect("an entity has a place");
                for place in others {
                    merge_at(&self.operation.schema, &mut self.data, place, entity.clone());
                }
                merge_at(&self.operation.schema, &mut self.data, last, entity);
                return;
            }
            _ => "an entity is not an object",
        };
        let fault = FetchFault::Malformed(fault);
        self.report(id, asked, |site| site.entity_fault(&fault, &requested.places));
    }

    /// An entity is of the type asked for, or of another type that the schema knows (an interface's implementation).
    fn is_expected_type(&self, entity: &Object<'_>, requested: &RequestedEntity) -> bool {
        typename(entity)
            .is_none_or(|name| name == requested.typename || self.operation.schema.types.contains_key(name))
    }

    fn report(
        &mut self,
        id: FetchId,
        asked: &Asked,
        errors: impl FnOnce(&ErrorSite<'_>) -> Vec<GraphqlError>,
    ) {
        let site = ErrorSite {
            fetch: self.fetch(id),
            prepared: &self.operation.fetches[id.0],
            asked,
            data: &self.data,
            projection: &self.operation.projection,
            policy: self.executor.config.subgraph_errors,
        };
        self.errors.extend(errors(&site));
    }
}

fn merge_at<'a>(schema: &Schema, data: &mut Value<'a>, place: &Place, entity: Value<'a>) {
    if let (Some(Value::Object(target)), Value::Object(entity)) = (value_at_mut(data, place), entity) {
        merge_objects(schema, target, entity);
    }
}
