//! A service that decides about policies as the test tells it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::routing::post;
use serde_json::{Value, json};

/// The service; its answer may change.
#[derive(Clone)]
pub struct Coprocessor {
    pub url: String,
    decision: Arc<Mutex<Value>>,
    questions: Arc<Mutex<Vec<Value>>>,
}

impl Coprocessor {
    /// The decision to answer too late.
    pub const SILENCE: Value = Value::Bool(true);

    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self {
            url: format!("http://{}/decide", listener.local_addr().unwrap()),
            decision: Arc::new(Mutex::new(json!({ "granted": [] }))),
            questions: Arc::default(),
        };
        let asked = service.clone();
        let decide = move |Json(question): Json<Value>| {
            asked.questions.lock().unwrap().push(question);
            let decision = asked.decision.lock().unwrap().clone();
            async move {
                if decision == Self::SILENCE {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                Json(decision)
            }
        };
        let routes = axum::Router::new().route("/decide", post(decide));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        service
    }

    pub fn grant(&self, decision: Value) {
        *self.decision.lock().unwrap() = decision;
    }

    /// The questions since the last time this was asked.
    pub fn questions(&self) -> Vec<Value> {
        std::mem::take(&mut self.questions.lock().unwrap())
    }
}
