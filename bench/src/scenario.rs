//! What is measured: the Home query, purchases, and sign-ins.

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
    let (mut tokens, mut emails) = (Vec::new(), Vec::new());
    for _ in 0..SHOPPERS {
        let shopper = shop::sign_up(&client).await;
        buy_some(&shopper, &chosen).await;
        tokens.push(shopper.token.into());
        emails.push(shopper.email);
    }
    Prepared {
        tokens,
        emails,
        skus: chosen.into_iter().map(|variant| variant.sku).collect(),
        sold_out: sold_out.sku.clone(),
        scarce: scarce.sku.clone(),
    }
}

/// So that Home has orders to show.
async fn buy_some(shopper: &Shopper, variants: &[shop::Variant]) {
    for variant in &variants[..5] {
        shop::buy_one(shopper, &variant.sku).await.expect_data();
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

fn token(tokens: &[Arc<str>], number: u64) -> Option<Arc<str>> {
    let index = usize::try_from(number).unwrap_or_default() % tokens.len();
    Some(Arc::clone(&tokens[index]))
}

fn contains(answer: &[u8], text: &[u8]) -> bool {
    answer.windows(text.len()).any(|window| window == text)
}
