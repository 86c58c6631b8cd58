//! A payment provider with Stripe's interface: keeps intents, refunds and idempotency keys, loses half of its replies, and sends its
//! webhooks twice and out of order.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::chaos::plan::Chance;

/// The secret by which payment calls.
pub const KEY: &str = "sk_test_of_the_bank";
/// The secret under which webhooks are signed.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_bank";
/// Longer than payment waits.
const SILENCE: Duration = Duration::from_secs(3);
const WEBHOOK_DELAY_MS: u64 = 1_500;

/// What the bank has of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// Payments that were begun.
    pub intents: usize,
    /// Minor units taken.
    pub captured: i64,
    /// Minor units given back.
    pub refunded: i64,
}

#[derive(Clone, Debug)]
struct Intent {
    order: String,
    amount: i64,
    manual: bool,
    status: &'static str,
    captured: i64,
    refunds: Vec<(String, i64)>,
}

#[derive(Debug)]
struct Books {
    intents: HashMap<String, Intent>,
    answered: HashMap<String, (String, u16, Value)>,
    chance: Chance,
    lost_replies: usize,
    webhooks: usize,
    problems: Vec<String>,
}

/// The running provider. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bank {
    books: Arc<Mutex<Books>>,
    receiver: Arc<Mutex<Option<String>>>,
    http: reqwest::Client,
}

type Answer = (StatusCode, Json<Value>);

impl Bank {
    /// Starts it; gives its URL too.
    pub async fn open(seed: u64) -> std::io::Result<(Self, String)> {
        let bank = Self {
            books: Arc::new(Mutex::new(Books {
                intents: HashMap::new(),
                answered: HashMap::new(),
                chance: Chance::new(seed),
                lost_replies: 0,
                webhooks: 0,
                problems: Vec::new(),
            })),
            receiver: Arc::default(),
            http: reqwest::Client::new(),
        };
        let router = Router::new().fallback(serve).with_state(bank.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((bank, url))
    }

    /// From now on webhooks go there.
    pub fn send_webhooks_to(&self, url: String) {
        *self.receiver.lock().unwrap() = Some(url);
    }

    /// What it has of an order.
    pub fn money(&self, order: &str) -> Money {
        let books = self.books.lock().unwrap();
        let intents: Vec<&Intent> = books.intents.values().filter(|one| one.order == order).collect();
        let refunds = intents.iter().flat_map(|one| &one.refunds);
        Money {
            intents: intents.len(),
            captured: intents.iter().map(|one| one.captured).sum(),
            refunded: refunds.map(|(_, amount)| amount).sum(),
        }
    }

    /// The orders it has taken money for.
    pub fn orders(&self) -> Vec<String> {
        let books = self.books.lock().unwrap();
        books.intents.values().map(|one| one.order.clone()).collect()
    }

    /// Replies that were lost, and webhooks that were sent.
    pub fn troubles(&self) -> (usize, usize) {
        let books = self.books.lock().unwrap();
        (books.lost_replies, books.webhooks)
    }

    /// What it was asked that nobody may ask.
    pub fn problems(&self) -> Vec<String> {
        self.books.lock().unwrap().problems.clone()
    }

    /// Tells of an order's payment, twice, each at a moment of its own.
    fn tell(&self, order: &str, kind: &str) {
        let Some(url) = self.receiver.lock().unwrap().clone() else {
            return;
        };
        let (id, delays) = {
            let mut books = self.books.lock().unwrap();
            books.webhooks += 2;
            let delays = [(); 2].map(|()| books.chance.below(WEBHOOK_DELAY_MS));
            (format!("evt_{}", books.webhooks), delays)
        };
        let object = json!({ "metadata": { "order_id": order } });
        let body = json!({ "id": id, "type": kind, "data": { "object": object } }).to_string();
        for delay in delays {
            let (http, url, body) = (self.http.clone(), url.clone(), body.clone());
            tokio::spawn(async move {
                sleep(Duration::from_millis(delay)).await;
                let signature = sign(&body);
                // Lost ones are not sent again: they change nothing but how soon.
                let _ = http
                    .post(url)
                    .header("stripe-signature", signature)
                    .body(body)
                    .send()
                    .await;
            });
        }
    }
}

fn sign(body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{now}.{body}").as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={hex}")
}

/// Does what it is asked, tells of it, and says nothing every other time.
async fn serve(
    State(bank): State<Bank>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let given = headers.get("authorization").and_then(|value| value.to_str().ok());
    if given.is_none_or(|given| given != format!("Bearer {KEY}")) {
        return answer(401, json!({ "error": { "code": "api_key" } }));
    }
    if method == Method::GET {
        return read(&bank.books.lock().unwrap(), &uri);
    }
    let key = headers
        .get("idempotency-key")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (answered, is_lost, told) = {
        let mut books = bank.books.lock().unwrap();
        let (answered, told) = books.once(key, &uri, &body);
        let is_lost = books.chance.below(2) == 0;
        books.lost_replies += usize::from(is_lost);
        (answered, is_lost, told)
    };
    if let Some((order, kind)) = told {
        bank.tell(&order, kind);
    }
    if is_lost {
        sleep(SILENCE).await;
        return answer(504, Value::Null);
    }
    answered
}

fn answer(status: u16, value: Value) -> Answer {
    (StatusCode::from_u16(status).unwrap(), Json(value))
}

fn read(books: &Books, uri: &Uri) -> Answer {
    if uri.path() == "/v1/refunds" {
        let query = form(uri.query().unwrap_or_default().as_bytes());
        let refunds = books
            .intents
            .get(&query["payment_intent"])
            .map(|one| one.refunds.clone());
        let data: Vec<Value> = refunds.unwrap_or_default().iter().map(refund).collect();
        return answer(200, json!({ "object": "list", "data": data }));
    }
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    match books.intents.get(name) {
        Some(intent) => answer(200, intent.json(name)),
        None => answer(404, json!({ "error": { "code": "resource_missing" } })),
    }
}

fn form(text: &[u8]) -> HashMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn refund((id, amount): &(String, i64)) -> Value {
    json!({ "id": format!("re_{id}"), "amount": amount, "status": "succeeded", "metadata": { "refund_id": id } })
}

type Told = Option<(String, &'static str)>;

impl Books {
    /// The first answer to a key is every answer to it.
    fn once(&mut self, key: &str, uri: &Uri, body: &[u8]) -> (Answer, Told) {
        let asked = format!("{}\n{}", uri.path(), String::from_utf8_lossy(body));
        if key.is_empty() {
            self.problems.push(format!("a change without a key: {asked}"));
        }
        if let Some((before, status, value)) = self.answered.get(key) {
            if *before != asked {
                self.problems
                    .push(format!("one key for `{before}` and `{asked}`"));
            }
            return (answer(*status, value.clone()), None);
        }
        let (status, value, told) = self.change(uri.path(), &form(body));
        self.answered
            .insert(key.to_owned(), (asked, status, value.clone()));
        (answer(status, value), told)
    }

    fn change(&mut self, path: &str, form: &HashMap<String, String>) -> (u16, Value, Told) {
        match path {
            "/v1/payment_intents" => self.create(form),
            "/v1/refunds" => self.refund(form),
            _ => self.act(path),
        }
    }

    fn create(&mut self, form: &HashMap<String, String>) -> (u16, Value, Told) {
        let id = format!("pi_{}", self.intents.len());
        let intent = Intent {
            order: form["metadata[order_id]"].clone(),
            amount: form["amount"].parse().unwrap(),
            manual: form["capture_method"] == "manual",
            status: "requires_payment_method",
            captured: 0,
            refunds: Vec::new(),
        };
        let (value, order) = (intent.json(&id), intent.order.clone());
        self.intents.insert(id, intent);
        (200, value, Some((order, "payment_intent.created")))
    }

    fn refund(&mut self, form: &HashMap<String, String>) -> (u16, Value, Told) {
        let intent = self.intents.get_mut(&form["payment_intent"]).unwrap();
        let amount: i64 = form["amount"].parse().unwrap();
        let back: i64 = intent.refunds.iter().map(|(_, amount)| amount).sum();
        if back + amount > intent.captured {
            return (
                400,
                json!({ "error": { "code": "charge_already_refunded" } }),
                None,
            );
        }
        let one = (form["metadata[refund_id]"].clone(), amount);
        let value = refund(&one);
        intent.refunds.push(one);
        (200, value, Some((intent.order.clone(), "charge.refunded")))
    }

    fn act(&mut self, path: &str) -> (u16, Value, Told) {
        let (id, action) = path
            .strip_prefix("/v1/payment_intents/")
            .and_then(|rest| rest.split_once('/'))
            .unwrap();
        let intent = self.intents.get_mut(id).unwrap();
        let kind = match (action, intent.status) {
            ("confirm", "requires_payment_method") => intent.pay(),
            ("capture", "requires_capture") => {
                (intent.status, intent.captured) = ("succeeded", intent.amount);
                "payment_intent.succeeded"
            }
            ("cancel", "requires_capture" | "requires_payment_method") => {
                intent.status = "canceled";
                "payment_intent.canceled"
            }
            _ => {
                return (
                    400,
                    json!({ "error": { "code": "payment_intent_unexpected_state" } }),
                    None,
                );
            }
        };
        (200, intent.json(id), Some((intent.order.clone(), kind)))
    }
}

impl Intent {
    fn pay(&mut self) -> &'static str {
        if self.manual {
            self.status = "requires_capture";
            return "payment_intent.amount_capturable_updated";
        }
        (self.status, self.captured) = ("succeeded", self.amount);
        "payment_intent.succeeded"
    }

    fn json(&self, id: &str) -> Value {
        json!({ "id": id, "object": "payment_intent", "amount": self.amount, "status": self.status,
            "next_action": null, "last_payment_error": null, "metadata": { "order_id": self.order } })
    }
}
