//! A small payment provider with Stripe's interface, as an HTTP server on a real socket: it keeps intents, refunds and idempotency keys, and
//! fails as it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What happens to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trouble {
    #[default]
    None,
    /// Every other request that changes something is carried out and not answered in time.
    LosesReplies,
    /// Every other one is answered 500 without having been carried out.
    Fails,
}

#[derive(Clone, Debug)]
struct Intent {
    order: String,
    amount: i64,
    manual: bool,
    status: &'static str,
    error: Option<&'static str>,
    captured: i64,
    refunds: Vec<(String, i64)>,
}

#[derive(Default)]
pub struct Books {
    intents: HashMap<String, Intent>,
    answered: HashMap<String, (String, u16, Value)>,
    trouble: Trouble,
    changes: usize,
}

/// The running provider.
#[derive(Clone, Default)]
pub struct Bank(Arc<Mutex<Books>>);

pub const KEY: &str = "sk_test_of_this_test";

impl Bank {
    /// Starts it; gives its URL too.
    pub async fn open() -> (Self, String) {
        let bank = Self::default();
        let router = Router::new()
            .fallback(serve)
            .layer(middleware::from_fn_with_state(bank.clone(), obey))
            .with_state(bank.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (bank, url)
    }

    pub fn set(&self, trouble: Trouble) {
        self.0.lock().unwrap().trouble = trouble;
    }

    /// The customer agrees, or does not, at the provider's page.
    pub fn customer_confirms(&self, order: &str, agrees: bool) {
        let mut books = self.0.lock().unwrap();
        let intent = books.of(order);
        assert_eq!(intent.status, "requires_action");
        if agrees {
            intent.pay();
        } else {
            intent.decline("authentication_failed");
        }
    }

    /// How many intents an order has, what was captured and what was given back.
    pub fn money(&self, order: &str) -> (usize, i64, i64) {
        let books = self.0.lock().unwrap();
        let intents: Vec<&Intent> = books.intents.values().filter(|one| one.order == order).collect();
        let captured = intents.iter().map(|one| one.captured).sum();
        let refunds = intents.iter().flat_map(|one| &one.refunds);
        (intents.len(), captured, refunds.map(|(_, amount)| amount).sum())
    }

    pub fn status(&self, order: &str) -> &'static str {
        self.0.lock().unwrap().of(order).status
    }
}

impl Books {
    fn of(&mut self, order: &str) -> &mut Intent {
        self.intents.values_mut().find(|one| one.order == order).unwrap()
    }
}

impl Intent {
    fn pay(&mut self) {
        self.status = if self.manual {
            "requires_capture"
        } else {
            "succeeded"
        };
        self.captured = if self.manual { 0 } else { self.amount };
    }

    fn decline(&mut self, code: &'static str) {
        self.status = "requires_payment_method";
        self.error = Some(code);
    }

    fn json(&self, id: &str) -> Value {
        let url = format!("https://bank.invalid/{id}");
        let next = (self.status == "requires_action").then(|| json!({ "redirect_to_url": { "url": url } }));
        let error = self
            .error
            .map(|code| json!({ "code": "card_declined", "decline_code": code }));
        json!({ "id": id, "object": "payment_intent", "amount": self.amount, "status": self.status,
            "next_action": next, "last_payment_error": error, "metadata": { "order_id": self.order } })
    }
}

/// Has the trouble that was asked for.
async fn obey(State(bank): State<Bank>, request: Request, next: Next) -> Response {
    let is_change = request.method() == Method::POST;
    let (trouble, is_hit) = {
        let mut books = bank.0.lock().unwrap();
        books.changes += usize::from(is_change);
        (books.trouble, is_change && books.changes.is_multiple_of(2))
    };
    match trouble {
        Trouble::Fails if is_hit => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Trouble::LosesReplies if is_hit => {
            next.run(request).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        _ => next.run(request).await,
    }
}

async fn serve(
    State(bank): State<Bank>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if text("authorization") != Some(format!("Bearer {KEY}")) {
        return answer(401, json!({ "error": { "code": "api_key" } }));
    }
    let mut books = bank.0.lock().unwrap();
    if method == Method::GET {
        return read(&books, &uri);
    }
    let key = text("idempotency-key").expect("every change has a key");
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let asked = format!("{}\n{}", uri.path(), String::from_utf8_lossy(&body));
    if let Some((before, status, value)) = books.answered.get(&key) {
        assert_eq!(*before, asked, "an idempotency key is used for two things");
        return answer(*status, value.clone());
    }
    let (status, value) = change(&mut books, uri.path(), &form);
    books.answered.insert(key, (asked, status, value.clone()));
    answer(status, value)
}

fn answer(status: u16, value: Value) -> (StatusCode, Json<Value>) {
    (StatusCode::from_u16(status).unwrap(), Json(value))
}

fn read(books: &Books, uri: &Uri) -> (StatusCode, Json<Value>) {
    if uri.path() == "/v1/refunds" {
        let query: HashMap<String, String> = form_urlencoded::parse(uri.query().unwrap().as_bytes())
            .into_owned()
            .collect();
        let intent = &books.intents[&query["payment_intent"]];
        let refunds: Vec<Value> = intent.refunds.iter().map(refund).collect();
        return answer(200, json!({ "object": "list", "data": refunds }));
    }
    let name = uri.path().rsplit('/').next().unwrap();
    answer(200, books.intents[name].json(name))
}

fn refund((id, amount): &(String, i64)) -> Value {
    json!({ "id": format!("re_{id}"), "amount": amount, "status": "succeeded", "metadata": { "refund_id": id } })
}

fn change(books: &mut Books, path: &str, form: &HashMap<String, String>) -> (u16, Value) {
    if path == "/v1/payment_intents" {
        let id = format!("pi_{}", books.intents.len());
        let intent = Intent {
            order: form["metadata[order_id]"].clone(),
            amount: form["amount"].parse().unwrap(),
            manual: form["capture_method"] == "manual",
            status: "requires_payment_method",
            error: None,
            captured: 0,
            refunds: Vec::new(),
        };
        let value = intent.json(&id);
        books.intents.insert(id, intent);
        return (200, value);
    }
    if path == "/v1/refunds" {
        let intent = books.intents.get_mut(&form["payment_intent"]).unwrap();
        let amount: i64 = form["amount"].parse().unwrap();
        let back: i64 = intent.refunds.iter().map(|(_, amount)| amount).sum();
        if back + amount > intent.captured {
            return (400, json!({ "error": { "code": "charge_already_refunded" } }));
        }
        intent.refunds.push((form["metadata[refund_id]"].clone(), amount));
        return (200, refund(&intent.refunds[intent.refunds.len() - 1]));
    }
    let (id, action) = path
        .strip_prefix("/v1/payment_intents/")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    let intent = books.intents.get_mut(id).unwrap();
    let unexpected = (
        400,
        json!({ "error": { "code": "payment_intent_unexpected_state" } }),
    );
    match (action, intent.status) {
        ("confirm", "requires_payment_method") => match form["payment_method"].as_str() {
            "pm_card_visa" => intent.pay(),
            "pm_card_3ds" => intent.status = "requires_action",
            "pm_card_declined" => {
                intent.decline("insufficient_funds");
                let failure = json!({ "code": "card_declined", "decline_code": "insufficient_funds" });
                return (402, json!({ "error": failure }));
            }
            _ => return (400, json!({ "error": { "code": "resource_missing" } })),
        },
        ("capture", "requires_capture") => {
            intent.status = "succeeded";
            intent.captured = intent.amount;
        }
        ("cancel", "requires_capture" | "requires_action" | "requires_payment_method") => {
            intent.status = "canceled";
        }
        _ => return unexpected,
    }
    (200, intent.json(id))
}
