//! What shoppers and merchants do, as calls on a client. All of it panics where the platform misbehaves: it is for tests.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Answer, Client};

/// The query of the shop's home page: all five subgraphs in one operation.
pub const HOME: &str = r#"query Home($me: Boolean!) {
  products(first: 12, search: "coat") { edges { node { id name slug variants { sku price { amount currency } availability { available inStock } } } } }
  me @include(if: $me) { email orders(first: 5) { edges { node { id status total { amount currency } lines { quantity variant { sku product { name } } } payment { status } } } } }
}"#;

/// The mutation that buys.
pub const PURCHASE: &str = r#"mutation Purchase($input: PurchaseInput!) {
  purchase(input: $input) { order { id status total { amount currency } payment { status amount { amount } } } userErrors { code field message } }
}"#;

const SIGN_UP: &str = r#"mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) { user { id email } tokens { accessToken } userErrors { code message } }
}"#;

/// The mutation that signs in.
pub const SIGN_IN: &str = r#"mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { user { id } tokens { accessToken } userErrors { code message } }
}"#;

/// The password of every [`sign_up`].
pub const PASSWORD: &str = "correct horse battery staple";

const ADJUST: &str = r#"mutation Adjust($input: AdjustStockInput!) {
  adjustStock(input: $input) { userErrors { code message } }
}"#;

const CATALOGUE: &str = r#"{
  products(first: 60) { edges { node { slug name variants {
    sku price { amount currency } drop { startsAt perCustomerLimit } availability { available inStock }
  } } } }
}"#;

const AVAILABLE: &str = r#"query Available($slug: String!) {
  product(slug: $slug) { variants { sku availability { available inStock } } }
}"#;

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// Calls the router as this user.
    pub client: Client,
    /// The access token.
    pub token: String,
    /// The user's id.
    pub id: String,
    /// The user's address.
    pub email: String,
}

/// A variant as the catalogue shows it.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its SKU.
    pub sku: String,
    /// Slug of its product.
    pub slug: String,
    /// Price in minor units.
    pub price: u64,
    /// Units available when the catalogue was read.
    pub available: u64,
    /// Whether it is sold as a limited drop.
    pub drop: bool,
}

/// Signs up a new user with a random address.
pub async fn sign_up(client: &Client) -> Shopper {
    let email = format!("shopper-{}@example.com", Uuid::new_v4().simple());
    let input = json!({ "email": email, "password": PASSWORD, "name": "Shopper" });
    let answer = client.query(SIGN_UP, json!({ "input": input })).await.unwrap();
    signed_in(client, &answer.expect_data()["signUp"], email)
}

/// Signs in as the merchant of the demonstration.
pub async fn merchant(client: &Client) -> Shopper {
    let email = "merchant@example.com".to_owned();
    let input = json!({ "email": email, "password": "fondaco-demo" });
    let answer = client.query(SIGN_IN, json!({ "input": input })).await.unwrap();
    signed_in(client, &answer.expect_data()["signIn"], email)
}

fn signed_in(client: &Client, payload: &Value, email: String) -> Shopper {
    let token = payload["tokens"]["accessToken"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {payload}"));
    let id = payload["user"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no user: {payload}"));
    Shopper {
        client: client.with_token(token),
        token: token.to_owned(),
        id: id.to_owned(),
        email,
    }
}

/// All variants of the demo catalogue whose sale has begun.
pub async fn variants(client: &Client) -> Vec<Variant> {
    let answer = client.query(CATALOGUE, json!({})).await.unwrap();
    let edges = answer.expect_data()["products"]["edges"]
        .as_array()
        .unwrap()
        .clone();
    let mut variants = Vec::new();
    for product in edges.iter().map(|edge| &edge["node"]) {
        for variant in product["variants"].as_array().unwrap() {
            if begun(&variant["drop"]) {
                variants.push(variant_of(product, variant));
            }
        }
    }
    variants
}

/// The SKU of a limited drop of the demo catalogue whose sale has not begun.
pub async fn not_begun(client: &Client) -> String {
    let answer = client.query(CATALOGUE, json!({})).await.unwrap();
    let edges = answer.expect_data()["products"]["edges"].as_array().unwrap();
    let variants = edges
        .iter()
        .flat_map(|edge| edge["node"]["variants"].as_array().unwrap());
    let later = variants
        .into_iter()
        .find(|variant| !begun(&variant["drop"]))
        .expect("the demo catalogue has a drop that has not begun");
    later["sku"].as_str().unwrap().to_owned()
}

/// RFC 3339 times in UTC are in the order of their text.
fn begun(drop: &Value) -> bool {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    drop["startsAt"]
        .as_str()
        .is_none_or(|starts| seconds(starts) <= now)
}

/// Seconds since 1970 of `2026-11-21T05:00:00…Z`, by the civil-calendar formula.
fn seconds(time: &str) -> u64 {
    let number = |from: usize, to: usize| time[from..to].parse::<u64>().unwrap();
    let (mut year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    if month <= 2 {
        year -= 1;
    }
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    days * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19)
}

fn variant_of(product: &Value, variant: &Value) -> Variant {
    Variant {
        sku: variant["sku"].as_str().unwrap().to_owned(),
        slug: product["slug"].as_str().unwrap().to_owned(),
        price: variant["price"]["amount"].as_u64().unwrap(),
        available: variant["availability"]["available"].as_u64().unwrap(),
        drop: !variant["drop"].is_null(),
    }
}

/// Units of the variant available now.
pub async fn available(client: &Client, variant: &Variant) -> u64 {
    let answer = client
        .query(AVAILABLE, json!({ "slug": variant.slug }))
        .await
        .unwrap();
    let variants = answer.expect_data()["product"]["variants"]
        .as_array()
        .unwrap()
        .clone();
    let found = variants
        .iter()
        .find(|candidate| candidate["sku"] == variant.sku.as_str());
    found.unwrap()["availability"]["available"].as_u64().unwrap()
}

/// Waits up to 10 s until so many units are available.
pub async fn expect_available(client: &Client, variant: &Variant, expected: u64) {
    let mut seen = available(client, variant).await;
    for _ in 0..100 {
        if seen == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        seen = available(client, variant).await;
    }
    panic!(
        "{} units of {} are available, expected {expected}",
        seen, variant.sku
    );
}

/// Sets the units available.
pub async fn set_stock(merchant: &Shopper, variant: &Variant, units: u64) {
    let now = available(&merchant.client, variant).await;
    let delta = i64::try_from(units).unwrap() - i64::try_from(now).unwrap();
    if delta != 0 {
        let key = Uuid::new_v4().to_string();
        let input = json!({ "sku": variant.sku, "delta": delta, "reason": "test", "idempotencyKey": key });
        let answer = merchant
            .client
            .query(ADJUST, json!({ "input": input }))
            .await
            .unwrap();
        let payload = &answer.expect_data()["adjustStock"];
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
    }
    expect_available(&merchant.client, variant, units).await;
}

/// The input of a purchase.
pub fn order(sku: &str, quantity: i64, token: &str, key: &str) -> Value {
    json!({ "input": {
        "idempotencyKey": key,
        "lines": [{ "sku": sku, "quantity": quantity }],
        "paymentToken": token,
    }})
}

/// Buys; the answer may hold user errors.
pub async fn purchase(shopper: &Shopper, sku: &str, quantity: i64, token: &str, key: &str) -> Answer {
    shopper
        .client
        .query(PURCHASE, order(sku, quantity, token, key))
        .await
        .unwrap()
}

/// Buys one unit with a card that works and a fresh key.
pub async fn buy_one(shopper: &Shopper, sku: &str) -> Answer {
    purchase(shopper, sku, 1, "tok_success", &Uuid::new_v4().to_string()).await
}

/// Code of the first user error of a mutation's payload, or the empty string.
pub fn user_error<'a>(answer: &'a Answer, mutation: &str) -> &'a str {
    answer.data()[mutation]["userErrors"][0]["code"]
        .as_str()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_become_seconds() {
        assert_eq!(super::seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(super::seconds("2000-03-01T00:00:01Z"), 951_868_801);
        assert_eq!(super::seconds("2026-11-21T05:44:32.5+00:00"), 1_795_239_872);
    }
}
