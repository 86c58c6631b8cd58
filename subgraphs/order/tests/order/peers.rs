//! Fakes of product and inventory, and switches that make any peer fail, lose its answer, or hang.

use std::{
    collections::{HashMap, HashSet},
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

/// What a peer does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fault {
    #[default]
    None,
    /// Answers 503 without doing anything.
    Refuse,
    /// Does it, and answers 500.
    LoseReply,
    /// Never does it, never answers.
    HangBefore,
    /// Does it, and never answers.
    HangAfter,
}

/// A peer's switch.
#[derive(Default)]
pub struct Switch {
    fault: Mutex<Fault>,
    /// Requests that pass unharmed before the fault begins.
    spared: AtomicUsize,
    /// Somebody hangs.
    pub hanging: Notify,
    /// Requests that were carried out.
    pub calls: AtomicUsize,
}

impl Switch {
    pub fn set(&self, fault: Fault) {
        self.set_after(0, fault);
    }

    pub fn set_after(&self, spared: usize, fault: Fault) {
        self.spared.store(spared, Ordering::SeqCst);
        *self.fault.lock().unwrap() = fault;
    }

    fn next(&self) -> Fault {
        let spare = |left: usize| left.checked_sub(1);
        match self
            .spared
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, spare)
        {
            Ok(_) => Fault::None,
            Err(_) => *self.fault.lock().unwrap(),
        }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// Serves a peer behind a switch; gives its URL.
pub async fn serve(router: Router, switch: &Arc<Switch>) -> String {
    let router = router.layer(middleware::from_fn_with_state(Arc::clone(switch), obey));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/graphql")
}

async fn obey(State(switch): State<Arc<Switch>>, request: Request, next: Next) -> Response {
    let fault = switch.next();
    match fault {
        Fault::Refuse => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Fault::HangBefore => {
            switch.hanging.notify_one();
            return pending().await;
        }
        _ => {}
    }
    let answer = next.run(request).await;
    switch.calls.fetch_add(1, Ordering::SeqCst);
    match fault {
        Fault::LoseReply => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::HangAfter => {
            switch.hanging.notify_one();
            pending().await
        }
        _ => answer,
    }
}

/// The catalogue: variants by SKU, as product answers them.
#[derive(Default)]
pub struct Catalogue(pub Mutex<HashMap<String, Value>>);

impl Catalogue {
    pub fn router(self: &Arc<Self>) -> Router {
        let catalogue = Arc::clone(self);
        Router::new().route(
            "/graphql",
            post(async move |Json(body): Json<Value>| catalogue.answer(&body)),
        )
    }

    fn answer(&self, body: &Value) -> Json<Value> {
        let variants = self.0.lock().unwrap();
        let skus = body["variables"]["skus"].as_array().unwrap();
        let found: Vec<_> = skus
            .iter()
            .map(|sku| variants.get(sku.as_str().unwrap()))
            .collect();
        Json(json!({ "data": { "purchasableVariants": found } }))
    }
}

type Lines = Vec<(String, i64)>;

/// Stock and holds, with the rules of the inventory service.
#[derive(Default)]
pub struct Inventory {
    pub stock: Mutex<HashMap<String, i64>>,
    pub holds: Mutex<HashMap<String, Lines>>,
    ended: Mutex<HashSet<String>>,
}

impl Inventory {
    pub fn router(self: &Arc<Self>) -> Router {
        let inventory = Arc::clone(self);
        Router::new().route(
            "/graphql",
            post(async move |Json(body): Json<Value>| inventory.answer(&body)),
        )
    }

    fn answer(&self, body: &Value) -> Json<Value> {
        let variables = &body["variables"];
        if body["query"].as_str().unwrap().contains("reserveStock") {
            let wishes = variables["inputs"].as_array().unwrap().iter();
            let answers: Vec<Value> = wishes.map(|wish| self.reserve(wish)).collect();
            return Json(json!({ "data": { "reserveStock": answers } }));
        }
        if body["query"].as_str().unwrap().contains("confirmStock") {
            let held = self
                .holds
                .lock()
                .unwrap()
                .contains_key(variables["id"].as_str().unwrap());
            return Json(json!({ "data": { "confirmStock": { "status": held.then_some("CONFIRMED") } } }));
        }
        self.release(variables["id"].as_str().unwrap());
        Json(json!({ "data": { "releaseStock": { "__typename": "ReleaseStockPayload" } } }))
    }

    fn reserve(&self, input: &Value) -> Value {
        let id = input["reservationId"].as_str().unwrap().to_owned();
        let wanted = input["lines"].as_array().unwrap().iter();
        let lines: Lines = wanted
            .map(|line| {
                (
                    line["sku"].as_str().unwrap().to_owned(),
                    line["quantity"].as_i64().unwrap(),
                )
            })
            .collect();
        let (mut stock, mut holds) = (self.stock.lock().unwrap(), self.holds.lock().unwrap());
        let expires_at = Utc::now() + TimeDelta::seconds(input["ttlSeconds"].as_i64().unwrap());
        if self.ended.lock().unwrap().contains(&id) {
            return json!({ "outcome": "KEY_REUSED" });
        }
        if let Some(held) = holds.get(&id) {
            let outcome = if *held == lines { "RESERVED" } else { "KEY_REUSED" };
            return json!({ "outcome": outcome, "expiresAt": expires_at });
        }
        for line in input["lines"].as_array().unwrap() {
            let opens_at = line["opensAt"]
                .as_str()
                .map(|at| at.parse::<DateTime<Utc>>().unwrap());
            if opens_at.is_some_and(|at| Utc::now() < at) {
                return json!({ "outcome": "SALE_NOT_STARTED", "sku": line["sku"] });
            }
            let limit = line["perCustomerLimit"].as_i64();
            if limit.is_some_and(|limit| line["quantity"].as_i64().unwrap() > limit) {
                return json!({ "outcome": "LIMIT_EXCEEDED", "sku": line["sku"], "available": limit });
            }
        }
        for (sku, quantity) in &lines {
            match stock.get(sku) {
                None => return json!({ "outcome": "UNKNOWN_SKU", "sku": sku, "available": null }),
                Some(left) if left < quantity => {
                    return json!({ "outcome": "SOLD_OUT", "sku": sku, "available": left });
                }
                Some(_) => {}
            }
        }
        for (sku, quantity) in &lines {
            *stock.get_mut(sku).unwrap() -= quantity;
        }
        holds.insert(id, lines);
        json!({ "outcome": "RESERVED", "expiresAt": expires_at })
    }

    /// Gives a hold back; its id stays used.
    pub fn release(&self, id: &str) {
        self.ended.lock().unwrap().insert(id.to_owned());
        let (mut stock, mut holds) = (self.stock.lock().unwrap(), self.holds.lock().unwrap());
        for (sku, quantity) in holds.remove(id).unwrap_or_default() {
            *stock.get_mut(&sku).unwrap() += quantity;
        }
    }
}
