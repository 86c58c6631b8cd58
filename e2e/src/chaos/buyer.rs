//! Somebody who presses the button again until there is an answer.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shop::{self, Shopper};

/// Longer than any outage of the plan, and the time after which an order is settled by itself.
pub const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(150);

/// How a purchase ended, as its buyer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged: this order is paid.
    Bought(String),
    /// Sold out.
    SoldOut,
    /// Given up by the shop, because payment was away for too long: nobody was charged, and the same purchase may be tried under another key.
    GivenUp,
    /// Anything else that is final, in words.
    Refused(String),
    /// There was no final answer in time; the last one.
    NoAnswer(String),
}

/// Buys one unit under `key`, as often as it takes to be told the outcome; where the shop has given up, under another one, as customers do.
pub async fn buy(buyer: &Shopper, sku: &str, key: &str) -> Outcome {
    buy_within(buyer, sku, key, PATIENCE).await
}

/// [`buy`], with a patience of its own.
pub async fn buy_within(buyer: &Shopper, sku: &str, key: &str, patience: Duration) -> Outcome {
    let deadline = Instant::now() + patience;
    let mut key = key.to_owned();
    loop {
        let last = match attempt(buyer, sku, &key).await {
            Ok(Outcome::GivenUp) => {
                key.push_str(" again");
                "given up".to_owned()
            }
            Ok(outcome) => return outcome,
            Err(last) => last,
        };
        if Instant::now() > deadline {
            return Outcome::NoAnswer(last);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Presses the button once. An error is the answer of somebody who is to try again.
pub async fn attempt(buyer: &Shopper, sku: &str, key: &str) -> Result<Outcome, String> {
    let input = shop::order(sku, 1, "tok_success", key);
    match buyer.client.query(shop::PURCHASE, input).await {
        Ok(answer) => outcome(answer.data()).ok_or_else(|| format!("{} {}", answer.status, answer.body)),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// None where the buyer is to try again.
fn outcome(data: &Value) -> Option<Outcome> {
    let payload = &data["purchase"];
    let order = &payload["order"];
    let code = payload["userErrors"][0]["code"].as_str();
    match (order["status"].as_str(), code) {
        (Some("CONFIRMED"), _) => Some(Outcome::Bought(order["id"].as_str()?.to_owned())),
        (_, Some("SOLD_OUT")) => Some(Outcome::SoldOut),
        (Some("PENDING"), _) | (None, None) => None,
        // The card always works.
        (Some("FAILED"), Some("PAYMENT_DECLINED")) => Some(Outcome::GivenUp),
        (status, code) => Some(Outcome::Refused(format!("{status:?} {code:?}"))),
    }
}
