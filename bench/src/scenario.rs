//! What is measured: the Home query, single orders, the product list, purchases, and sign-ins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use fondaco_e2e::platform::Platform;
use fondaco_e2e::shop::{self, Shopper};
use serde_json::{Value, json};

use crate::load::{Aim, Shot, Workload};

/// Users the load is spread over.
const SHOPPERS: usize = 16;
/// Variants purchases are spread over.
const VARIANTS: usize = 20;
/// Stock of each: more than a run can buy.
const STOCK: u64 = 10_000_000;

/// Buyers of a rush.
pub const RUSH_BUYERS: u64 = 10_000;
/// Units they rush for.
pub const RUSH_UNITS: u64 = 1_000;

/// Users and variants the workloads use.
pub struct Prepared {
    tokens: Vec<Arc<str>>,
    emails: Vec<String>,
    skus: Vec<String>,
    sold_out: String,
    scarce: String,
    /// Access tokens with the id of an order that is theirs.
    orders: Vec<(Arc<str>, String)>,
}

/// Signs up the users, lets each buy a few things, and fills the stock.
pub async fn prepare(platform: &Platform) -> Prepared {
    let client = platform.client();
    let merchant = shop::merchant(&client).await;
    let all = shop::variants(&client).await;
    let mut chosen: Vec<_> = all.into_iter().filter(|variant| !variant.drop).collect();
    let others = chosen.split_off(VARIANTS);
    for variant in &chosen {
        shop::set_stock(&merchant, variant, STOCK).await;
    }
    let [sold_out, scarce] = &others[..2] else {
        panic!("the demo catalogue has more than {VARIANTS} variants");
    };
    shop::set_stock(&merchant, sold_out, 0).await;
    shop::set_stock(&merchant, scarce, RUSH_UNITS).await;
    let (mut tokens, mut emails, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SHOPPERS {
        let shopper = shop::sign_up(&client).await;
        let token: Arc<str> = shopper.token.as_str().into();
        let bought = buy_some(&shopper, &chosen).await.into_iter();
        orders.extend(bought.map(|id| (Arc::clone(&token), id)));
        tokens.push(token);
        emails.push(shopper.email);
    }
    Prepared {
        tokens,
        emails,
        skus: chosen.into_iter().map(|variant| variant.sku).collect(),
        sold_out: sold_out.sku.clone(),
        scarce: scarce.sku.clone(),
        orders,
    }
}

/// So that there are orders to show.
async fn buy_some(shopper: &Shopper, variants: &[shop::Variant]) -> Vec<String> {
    let mut orders = Vec::new();
    for variant in &variants[..5] {
        let answer = shop::buy_one(shopper, &variant.sku).await;
        let id = answer.expect_data()["purchase"]["order"]["id"].as_str();
        orders.push(id.expect("a purchase leads to an order").to_owned());
    }
    orders
}

/// One order with its lines, by the customer whose it is.
pub fn order_by_id(prepared: &Prepared) -> Workload {
    const ORDER: &str = "query Order($id: ID!) { order(id: $id) { id status total { amount currency } createdAt \
        lines { quantity unitPrice { amount } variant { sku } } } }";
    let shots: Vec<Shot> = prepared
        .orders
        .iter()
        .map(|(token, id)| Shot {
            token: Some(Arc::clone(token)),
            body: Bytes::from(json!({ "query": ORDER, "variables": { "id": id } }).to_string()),
        })
        .collect();
    Workload {
        shot: Arc::new(move |number| {
            shots[usize::try_from(number).unwrap_or_default() % shots.len()].clone()
        }),
        accept: Arc::new(|answer| contains(answer, b"\"CONFIRMED\"") && contains(answer, b"\"sku\"")),
    }
}

/// A page of the catalogue with prices, by anybody.
pub fn product_list() -> Workload {
    const LIST: &str = r#"query List { products(first: 12, search: "coat") { edges { node {
        id name slug variants { sku price { amount currency } } } } } }"#;
    let body = Bytes::from(json!({ "query": LIST }).to_string());
    Workload {
        shot: Arc::new(move |_| Shot {
            token: None,
            body: body.clone(),
        }),
        accept: Arc::new(|answer| contains(answer, b"\"sku\"") && !contains(answer, b"\"errors\"")),
    }
}

/// The Home query by signed-in users.
pub fn home(prepared: &Prepared) -> Workload {
    let body = Bytes::from(json!({ "query": shop::HOME, "variables": { "me": true } }).to_string());
    let tokens = prepared.tokens.clone();
    Workload {
        shot: Arc::new(move |number| Shot {
            token: token(&tokens, number),
            body: body.clone(),
        }),
        accept: Arc::new(|answer| contains(answer, b"\"email\"") && !contains(answer, b"\"errors\"")),
    }
}

/// A query that the router answers alone, by signed-in users or by nobody.
pub fn type_name(prepared: &Prepared, signed_in: bool) -> Workload {
    let body = Bytes::from_static(br#"{"query":"{ __typename }"}"#);
    let tokens = prepared.tokens.clone();
    Workload {
        shot: Arc::new(move |number| Shot {
            token: token(&tokens, number).filter(|_| signed_in),
            body: body.clone(),
        }),
        accept: Arc::new(|answer| contains(answer, br#"{"__typename":"Query"}"#)),
    }
}

/// Sign-ins with the right password, at the cost of hashes as deployed.
pub fn sign_in(prepared: &Prepared) -> Workload {
    let bodies: Vec<Bytes> = prepared
        .emails
        .iter()
        .map(|email| {
            let input = json!({ "email": email, "password": shop::PASSWORD });
            Bytes::from(json!({ "query": shop::SIGN_IN, "variables": { "input": input } }).to_string())
        })
        .collect();
    Workload {
        shot: Arc::new(move |number| Shot {
            token: None,
            body: bodies[usize::try_from(number).unwrap_or_default() % bodies.len()].clone(),
        }),
        accept: Arc::new(|answer| contains(answer, b"\"accessToken\"")),
    }
}

/// Settings of the platform that is measured: hashes cost what they cost by default, and one machine may sign in as often as it can.
pub fn configure(config: &mut Value) {
    config["auth"]["password"] = json!({});
    let limit = json!({ "attempts": 1_000_000, "per_seconds": 1 });
    config["auth"]["rate_limits"] = json!({ "sign_in": { "per_account": limit, "per_address": limit } });
}

/// Purchases of one unit each, every one under a key of its own.
pub fn purchase(prepared: &Prepared) -> Workload {
    Workload {
        shot: shot(prepared, "bench", prepared.skus.clone()),
        accept: Arc::new(|answer| contains(answer, CONFIRMED)),
    }
}

/// Purchases of what is sold out.
pub fn sold_out(prepared: &Prepared) -> Workload {
    Workload {
        shot: shot(prepared, "late", vec![prepared.sold_out.clone()]),
        accept: Arc::new(|answer| contains(answer, SOLD_OUT)),
    }
}

/// Purchases of what there are [`RUSH_UNITS`] of; how many were confirmed is counted.
pub fn rush(prepared: &Prepared) -> (Workload, Arc<AtomicU64>) {
    let confirmed = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&confirmed);
    let accept = move |answer: &[u8]| {
        let won = contains(answer, CONFIRMED);
        counter.fetch_add(u64::from(won), Ordering::Relaxed);
        won || contains(answer, SOLD_OUT)
    };
    let workload = Workload {
        shot: shot(prepared, "rush", vec![prepared.scarce.clone()]),
        accept: Arc::new(accept),
    };
    (workload, confirmed)
}

const CONFIRMED: &[u8] = b"\"CONFIRMED\"";
const SOLD_OUT: &[u8] = b"\"SOLD_OUT\"";

/// Each buys one of `skus` in turn, under a key that begins with `name`.
fn shot(prepared: &Prepared, name: &'static str, skus: Vec<String>) -> Arc<Aim> {
    let tokens = prepared.tokens.clone();
    let run = std::process::id();
    Arc::new(move |number: u64| {
        let sku = &skus[usize::try_from(number).unwrap_or_default() % skus.len()];
        let input = shop::order(sku, 1, "tok_success", &format!("{name}-{run}-{number}"));
        let body = json!({ "query": shop::PURCHASE, "variables": input });
        Shot {
            token: token(&tokens, number),
            body: Bytes::from(body.to_string()),
        }
    })
}

/// The same with nothing kept by order and product.
pub fn configure_without_caches(config: &mut Value) {
    configure(config);
    config["order"]["cache_seconds"] = json!(0);
    config["product"]["keep_seconds"] = json!(0);
}

fn token(tokens: &[Arc<str>], number: u64) -> Option<Arc<str>> {
    let index = usize::try_from(number).unwrap_or_default() % tokens.len();
    Some(Arc::clone(&tokens[index]))
}

fn contains(answer: &[u8], text: &[u8]) -> bool {
    answer.windows(text.len()).any(|window| window == text)
}
