//! Every input of the shop that is wrong, and the answer to each: `user_errors/*.json`, a row a mistake.
//!
//! `{paid}` and the like stand for orders in that state, variants and texts; [`Things`] has them all. A row without `idempotencyKey` gets a
//! fresh one. What a row expects is the code of the only user error and the field it names, or the code of a top-level error; and a message.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::client::Answer;
use crate::platform::Platform;
use crate::shop::{self, Shopper, Variant};

/// The mutations that take no key.
const KEYLESS: [&str; 4] = [
    "updateOrderItem",
    "addToWishlist",
    "updateWishlistItem",
    "removeFromWishlist",
];

const TABLES: [&str; 5] = [
    include_str!("user_errors/drafts.json"),
    include_str!("user_errors/purchases.json"),
    include_str!("user_errors/after_sale.json"),
    include_str!("user_errors/payments.json"),
    include_str!("user_errors/wishlist.json"),
];

/// A mistake and its answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    what: String,
    mutation: String,
    /// By the merchant of the demonstration; else by the customer.
    #[serde(default)]
    merchant: bool,
    input: Value,
    /// Of the user error.
    code: Option<String>,
    /// Of the user error; null where it is about the input as a whole.
    field: Option<String>,
    /// `extensions.code` of the top-level error, where there is one instead.
    error: Option<String>,
    /// What the message names.
    #[serde(default)]
    says: String,
}

/// What mistakes are made with, by name.
struct Things(Map<String, Value>);

/// Makes every mistake.
pub async fn run(platform: &Platform) {
    let client = platform.client();
    let merchant = shop::merchant(&client).await;
    let (customer, stranger) = (shop::sign_up(&client).await, shop::sign_up(&client).await);
    let things = Things::prepare(&customer, &stranger, &merchant).await;
    let mut wrong = Vec::new();
    for mistake in TABLES.iter().flat_map(|table| things.fill(table)) {
        let who = if mistake.merchant { &merchant } else { &customer };
        if let Err(why) = judge(&mistake, &make(who, &mistake).await) {
            wrong.push(format!("{}, {}: {why}", mistake.mutation, mistake.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn make(shopper: &Shopper, mistake: &Mistake) -> Answer {
    let mut input = mistake.input.clone();
    if !KEYLESS.contains(&&*mistake.mutation) && input.get("idempotencyKey").is_none() {
        input["idempotencyKey"] = json!(Uuid::new_v4());
    }
    mutate(shopper, &mistake.mutation, &input, "").await
}

async fn mutate(shopper: &Shopper, mutation: &str, input: &Value, selection: &str) -> Answer {
    let kind = match mutation {
        "startPayment" => "PurchaseInput".to_owned(),
        "addToWishlist" | "updateWishlistItem" => "WishlistItemInput".to_owned(),
        _ => format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]),
    };
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    let variables = json!({ "input": input });
    shopper.client.query(&query, variables).await.unwrap()
}

fn judge(mistake: &Mistake, answer: &Answer) -> Result<(), String> {
    let unlike = || Err(format!("HTTP {} {}", answer.status, answer.body));
    let (code, field, message) = if let Some(expected) = &mistake.error {
        let error = &answer.body["errors"][0];
        if answer.error_code() != expected {
            return unlike();
        }
        (json!(expected), Value::Null, &error["message"])
    } else {
        let errors = &answer.data()[&mistake.mutation]["userErrors"];
        if !answer.errors().is_empty() || errors.as_array().map(Vec::len) != Some(1) {
            return unlike();
        }
        (
            errors[0]["code"].clone(),
            errors[0]["field"].clone(),
            &errors[0]["message"],
        )
    };
    let expected = mistake.error.as_ref().or(mistake.code.as_ref());
    let message = message.as_str().unwrap_or_default();
    let is_right = (code, field) == (json!(expected), json!(mistake.field))
        && !message.is_empty()
        && message.contains(&mistake.says);
    if is_right { Ok(()) } else { unlike() }
}

impl Things {
    async fn prepare(customer: &Shopper, stranger: &Shopper, merchant: &Shopper) -> Self {
        let client = &merchant.client;
        let variants = shop::variants(client).await;
        let mut plain = variants.iter().filter(|variant| !variant.drop).skip(12);
        let (variant, scarce) = (plain.next().unwrap(), plain.next().unwrap());
        shop::set_stock(merchant, variant, 100).await;
        shop::set_stock(merchant, scarce, 2).await;
        let limited = variants.iter().find(|variant| variant.drop).unwrap();
        shop::set_stock(merchant, limited, 100).await;
        let mut things = Self(Map::new());
        things.add("sku", &variant.sku);
        things.add("scarce", &scarce.sku);
        things.add("limited", &limited.sku);
        things.add("later", &shop::not_begun(client).await);
        things.add("nobodys", &Uuid::now_v7().to_string());
        things.add("long", &"x".repeat(256));
        things.add("longer", &"x".repeat(2_049));
        things.orders(customer, merchant, variant).await;
        things.add("foreign", &paid(stranger, variant, "foreign").await);
        things.add("foreignDraft", &draft(stranger, variant).await);
        let many: Vec<_> = (0..51)
            .map(|n| json!({ "sku": format!("S-{n}"), "quantity": 1 }))
            .collect();
        things.0.insert("many".to_owned(), json!(many));
        things
    }

    /// An order of the customer's in every state.
    async fn orders(&mut self, customer: &Shopper, merchant: &Shopper, variant: &Variant) {
        self.add("draft", &draft(customer, variant).await);
        // Under this key two units were bought.
        self.add("paid", &paid(customer, variant, "used").await);
        for (name, who, mutation) in [
            ("cancelled", customer, "cancelOrder"),
            ("refunded", customer, "requestRefund"),
            ("sent", merchant, "fulfillOrder"),
        ] {
            let id = paid(customer, variant, name).await;
            let input = json!({ "orderId": id, "idempotencyKey": format!("{name} {id}") });
            let answer = mutate(who, mutation, &input, "").await;
            assert_eq!(shop::user_error(&answer, mutation), "", "{}", answer.body);
            self.add(name, &id);
        }
        for (name, mutation, token) in [
            ("pending", "startPayment", "tok_success"),
            ("failed", "purchase", "tok_declined"),
        ] {
            let input = json!({ "lines": [{ "sku": variant.sku, "quantity": 1 }], "paymentToken": token,
                "idempotencyKey": name });
            let answer = mutate(customer, mutation, &input, "order { id }").await;
            self.add(name, answer.data()[mutation]["order"]["id"].as_str().unwrap());
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), json!(value));
    }

    /// Reads a table with the things in place of their names.
    fn fill(&self, table: &str) -> Vec<Mistake> {
        let filled = self.0.iter().fold(table.to_owned(), |text, (name, value)| {
            let value = value.to_string();
            text.replace(&format!("\"{{{name}}}\""), &value)
        });
        serde_json::from_str(&filled).unwrap()
    }
}

async fn paid(shopper: &Shopper, variant: &Variant, key: &str) -> String {
    let answer = shop::purchase(shopper, &variant.sku, 2, "tok_success", key).await;
    let order = &answer.expect_data()["purchase"]["order"];
    assert_eq!(order["status"], "CONFIRMED", "{}", answer.body);
    order["id"].as_str().unwrap().to_owned()
}

async fn draft(shopper: &Shopper, variant: &Variant) -> String {
    let input = json!({ "idempotencyKey": "a draft", "lines": [{ "sku": variant.sku, "quantity": 1 }] });
    let answer = mutate(shopper, "createOrder", &input, "order { id }").await;
    answer.expect_data()["createOrder"]["order"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
