//! What must be true of every purchase that was acknowledged, and of every sale.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use serde_json::{Value, json};

use super::buyer::Outcome;
use super::finding::Finding;
use super::lab::Lab;
use crate::shop::Shopper;

const ORDERS: &str = "query Orders($after: String) { orders(first: 50, after: $after) {
    edges { node { id status payment { status amount { amount } refunded { amount } } history { event } } }
    pageInfo { hasNextPage endCursor } } }";

/// As often as a page of orders is asked for before it counts as lost.
const ATTEMPTS: usize = 20;
const AT_ONCE: usize = 8;

/// Purchases that were acknowledged, by the buyer's place in the list.
pub type Acknowledged = HashMap<usize, HashSet<String>>;

/// Everybody has an answer; how many bought.
pub fn answers<'a>(finding: &mut Finding, what: &str, outcomes: impl Iterator<Item = &'a Outcome>) -> u64 {
    let mut bought = 0;
    for (number, outcome) in outcomes.enumerate() {
        match outcome {
            Outcome::Bought(_) => bought += 1,
            Outcome::SoldOut => {}
            other => finding.problem(format!("{what}, purchase {number}: {other:?}")),
        }
    }
    bought
}

/// Every acknowledged order is there and paid once; no buyer has an order that nobody told of.
pub async fn journal(finding: &mut Finding, buyers: &[Shopper], acknowledged: &Acknowledged) {
    let mut pages = futures::stream::iter(buyers.iter().enumerate())
        .map(|(index, buyer)| async move { (index, orders(buyer).await) })
        .buffer_unordered(AT_ONCE);
    let nothing = HashSet::new();
    while let Some((index, orders)) = pages.next().await {
        let orders = match orders {
            Ok(orders) => orders,
            Err(answer) => {
                finding.problem(format!("the orders of buyer {index} cannot be read: {answer}"));
                continue;
            }
        };
        one_buyer(
            finding,
            index,
            &orders,
            acknowledged.get(&index).unwrap_or(&nothing),
        );
    }
}

fn one_buyer(
    finding: &mut Finding,
    index: usize,
    orders: &HashMap<String, Value>,
    acknowledged: &HashSet<String>,
) {
    finding.acknowledged += acknowledged.len();
    for id in acknowledged {
        let order = orders.get(id);
        match order.map(judge) {
            Some(Judged::Kept) => finding.sold += 1,
            Some(Judged::Lost) => finding.lost_stock += 1,
            Some(Judged::Wrong) | None => {
                finding.problem(format!("buyer {index}: {id} was acknowledged and is {order:?}"))
            }
        }
    }
    for (id, order) in orders {
        if order["status"] == "CONFIRMED" && !acknowledged.contains(id) {
            finding.problem(format!(
                "buyer {index} has paid for an order nobody told of: {order}"
            ));
        }
    }
}

enum Judged {
    Kept,
    Lost,
    Wrong,
}

fn judge(order: &Value) -> Judged {
    let payment = &order["payment"];
    let history = order["history"].as_array().map_or(&[][..], Vec::as_slice);
    let lost = history.iter().any(|entry| entry["event"] == "STOCK_LOST");
    match order["status"].as_str() {
        Some("CONFIRMED") if payment["status"] == "CAPTURED" => Judged::Kept,
        Some("CANCELLED") if lost => Judged::Lost,
        _ => Judged::Wrong,
    }
}

/// All orders of a buyer by id; the last answer where they cannot be read.
pub async fn orders(buyer: &Shopper) -> Result<HashMap<String, Value>, String> {
    let (mut orders, mut after) = (HashMap::new(), Value::Null);
    loop {
        let page = page(buyer, &after).await?;
        for edge in page["edges"].as_array().into_iter().flatten() {
            let id = edge["node"]["id"].as_str().unwrap_or_default().to_owned();
            orders.insert(id, edge["node"].clone());
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(orders);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn page(buyer: &Shopper, after: &Value) -> Result<Value, String> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        match buyer.client.query(ORDERS, json!({ "after": after })).await {
            Ok(answer) if answer.errors().is_empty() && answer.data()["orders"].is_object() => {
                return Ok(answer.data()["orders"].clone());
            }
            Ok(answer) => last = answer.body.to_string(),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    Err(last)
}

/// No more of a SKU is sold than there was; what is left when all holds have ended can be bought.
pub async fn stock(finding: &mut Finding, lab: &Lab, sku: &str, units: u64, bought: u64) {
    let Some(stock) = lab.holds_end(sku).await else {
        finding.problem(format!("the stock of {sku} cannot be read"));
        return;
    };
    finding.expect(stock.held == 0, || format!("{sku} still has holds: {stock:?}"));
    let oversold = stock
        .sold
        .saturating_sub(stock.total)
        .max(bought.saturating_sub(units));
    finding.oversold += oversold;
    finding.expect(oversold == 0, || {
        format!("{sku}: {bought} bought of {units}, {stock:?}")
    });
}
