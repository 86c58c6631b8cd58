//! Calls the subgraph servers of a case in memory, and makes one call fail when told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use fondaco_executor::transport::{SubgraphRequest, SubgraphResponse, Transport, TransportError};
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::data::Data;
use crate::server::Server;

/// A call that fails: which, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Number of the call, from 0.
    pub call: usize,
    /// What happens to it.
    pub kind: FaultKind,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nobody listens.
    Refused,
    /// HTTP 500 without GraphQL.
    Status,
    /// Not JSON.
    Html,
    /// `data: null` with an error that has no path.
    NullData,
    /// Errors only.
    NoData,
    /// Entities are missing at the end of the list.
    ShortEntities,
}

/// The transport.
pub struct InMemory {
    subgraphs: Arc<BTreeMap<String, Server>>,
    data: Arc<Data>,
    fault: Option<Fault>,
    calls: AtomicUsize,
}

impl InMemory {
    /// A transport to these servers.
    pub fn new(subgraphs: Arc<BTreeMap<String, Server>>, data: Arc<Data>, fault: Option<Fault>) -> InMemory {
        InMemory {
            subgraphs,
            data,
            fault,
            calls: AtomicUsize::new(0),
        }
    }

    fn answer(&self, request: &SubgraphRequest) -> Result<Json, TransportError> {
        let server = self
            .subgraphs
            .get(&*request.subgraph)
            .ok_or_else(|| TransportError::Unknown(request.subgraph.clone()))?;
        let body: Json = serde_json::from_slice(&request.body)
            .map_err(|error| TransportError::Unreachable(format!("the request is not JSON: {error}")))?;
        Ok(server.answer(
            &self.data,
            body["query"].as_str().unwrap_or_default(),
            &body["variables"],
        ))
    }
}

impl Transport for InMemory {
    fn call(&self, request: SubgraphRequest) -> BoxFuture<'_, Result<SubgraphResponse, TransportError>> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let kind = self
            .fault
            .filter(|fault| fault.call == number)
            .map(|fault| fault.kind);
        let result = match kind {
            Some(FaultKind::Refused) => Err(TransportError::Unreachable("refused".to_owned())),
            Some(FaultKind::Status) => Ok(response(StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned())),
            Some(FaultKind::Html) => Ok(response(StatusCode::OK, "<html>".to_owned())),
            Some(FaultKind::NullData) => {
                Ok(json!({ "data": null, "errors": [{ "message": "down" }] })).map(ok)
            }
            Some(FaultKind::NoData) => Ok(json!({ "errors": [{ "message": "down" }] })).map(ok),
            Some(FaultKind::ShortEntities) => self.answer(&request).map(shortened).map(ok),
            None => self.answer(&request).map(ok),
        };
        Box::pin(async { result })
    }
}

fn ok(body: Json) -> SubgraphResponse {
    response(StatusCode::OK, body.to_string())
}

fn response(status: StatusCode, body: String) -> SubgraphResponse {
    SubgraphResponse {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body),
    }
}

/// Lists at the top lose their last item where they are lists of entities; other answers become errors.
fn shortened(mut body: Json) -> Json {
    let mut cut = false;
    if let Some(data) = body.get_mut("data").and_then(Json::as_object_mut) {
        for (key, value) in data.iter_mut().filter(|(key, _)| key.starts_with("_e")) {
            let _ = key;
            cut |= value.as_array_mut().and_then(Vec::pop).is_some();
        }
    }
    if cut {
        body
    } else {
        json!({ "errors": [{ "message": "down" }] })
    }
}
