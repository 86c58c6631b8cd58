//! Calls a router's routes without a network.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use fondaco_router::{IdentitySecrets, RedisSetup, Router, RouterConfig, RouterSetup, SupergraphSource};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

use crate::subgraphs::Subgraphs;

/// Secret shared between router and subgraphs.
pub const SECRET: &str = "a secret that is long enough to sign with";

/// A router over in-process subgraphs.
pub struct Client {
    routes: axum::Router,
    pub subgraphs: Subgraphs,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// `extensions.code` of the first error, or an empty string.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What a router for tests is built from.
pub fn setup(config: &str, subgraphs: &Subgraphs) -> RouterSetup {
    RouterSetup {
        config: RouterConfig::from_yaml(config).unwrap(),
        supergraph: SupergraphSource::Text {
            sdl: include_str!("supergraph.graphql").to_owned(),
            name: "supergraph.graphql".to_owned(),
        },
        transport: Arc::new(subgraphs.transport()),
        identity: IdentitySecrets {
            shared: Some(SECRET.to_owned()),
            of_subgraphs: BTreeMap::new(),
        },
        redis: None,
    }
}

/// Collects what is logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Client {
    /// A router with this configuration.
    pub fn new(config: &str) -> Self {
        Self::with_redis(config, None)
    }

    /// A router with this configuration and a Redis.
    pub fn with_redis(config: &str, redis: Option<RedisSetup>) -> Self {
        let subgraphs = Subgraphs::default();
        let setup = RouterSetup {
            redis,
            ..setup(config, &subgraphs)
        };
        let router = Router::build(setup).unwrap();
        Self {
            routes: router.routes(),
            subgraphs,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// A POST with these headers and body.
    pub async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        self.call(Method::POST, "/graphql", headers, body).await
    }

    pub async fn call(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let builder = Request::builder().method(method).uri(uri);
        let builder = headers
            .iter()
            .fold(builder, |builder, (name, value)| builder.header(*name, *value));
        self.send(builder.body(body.into()).unwrap()).await
    }

    /// A well-formed query under `application/graphql-response+json`.
    pub async fn query(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        self.request(json!({ "query": query }), headers).await
    }

    pub async fn request(&self, body: Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("content-type", "application/json"),
            ("accept", "application/graphql-response+json"),
        ];
        all.extend_from_slice(headers);
        self.post(&all, body.to_string()).await
    }
}
