//! What must be true of a sale, and after all of them.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use serde_json::{Value, json};

use super::buyer::{self, Outcome};
use super::plan::{self, Plan};
use crate::platform::Platform;
use crate::program::ProgramError;
use crate::shop::{Shopper, Variant};

const ORDERS: &str = "query Orders($after: String) { orders(first: 50, after: $after) {
    edges { node { id status payment { status amount { amount } refunded { amount } } history { event } } }
    pageInfo { hasNextPage endCursor } } }";

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Of the plan.
    pub seed: u64,
    /// Acknowledged purchases, by the buyer's place in the list: the sale and the order.
    pub acknowledged: HashMap<usize, Vec<(usize, String)>>,
    /// How often each process was killed.
    pub kills: BTreeMap<&'static str, usize>,
    /// Buyers who were told "sold out".
    pub sold_out: usize,
    /// Orders acknowledged and then cancelled because their stock was lost; paid back.
    pub lost: usize,
    /// What must not be.
    pub problems: Vec<String>,
    /// The table of `fondaco reconcile`.
    pub books: String,
    /// Warnings of all programs, where there are problems.
    pub log: String,
}

impl Report {
    /// Nothing yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// One line about it.
    pub fn line(&self) -> String {
        let bought: usize = self.acknowledged.values().map(Vec::len).sum();
        format!(
            "{bought} acknowledged, {} sold out, {} problems",
            self.sold_out,
            self.problems.len()
        )
    }
}

/// Everybody has an answer, and no more was sold than there was.
pub fn sale(report: &mut Report, plan: &Plan, number: usize, outcomes: &[Outcome]) {
    let mut bought = 0;
    for (buyer, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Outcome::Bought(order) => {
                bought += 1;
                let acknowledged = report.acknowledged.entry(buyer).or_default();
                acknowledged.push((number, order.clone()));
            }
            Outcome::SoldOut => report.sold_out += 1,
            other => report
                .problems
                .push(format!("sale {number}, buyer {buyer}: {other:?}")),
        }
    }
    if bought > plan.units {
        let units = plan.units;
        report
            .problems
            .push(format!("sale {number}: {bought} sold of {units}"));
    }
}

/// Every acknowledged order is there and paid once; no buyer has an order that nobody told of.
pub async fn journal(report: &mut Report, buyers: &[Shopper]) {
    let orders: Vec<Vec<Value>> = futures::stream::iter(buyers)
        .map(orders)
        .buffered(4)
        .collect()
        .await;
    for (index, orders) in orders.iter().enumerate() {
        let acknowledged = report.acknowledged.get(&index).cloned().unwrap_or_default();
        for (sale, id) in &acknowledged {
            let order = orders.iter().find(|order| order["id"] == id.as_str());
            match order.map(judge) {
                Some(Judged::Kept) => {}
                Some(Judged::Lost) => report.lost += 1,
                Some(Judged::Wrong) | None => report.problems.push(format!(
                    "sale {sale}, buyer {index}: {id} was acknowledged and is {order:?}"
                )),
            }
        }
        let paid = orders.iter().filter(|order| order["status"] == "CONFIRMED");
        for order in paid {
            let known = acknowledged.iter().any(|(_, id)| order["id"] == id.as_str());
            if !known {
                report.problems.push(format!(
                    "buyer {index} has paid for an order nobody told of: {order}"
                ));
            }
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

async fn orders(buyer: &Shopper) -> Vec<Value> {
    let (mut orders, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = buyer.client.query(ORDERS, json!({ "after": after })).await;
        let Ok(answer) = answer else { return orders };
        let page = &answer.data()["orders"];
        let edges = page["edges"].as_array().cloned().unwrap_or_default();
        orders.extend(edges.into_iter().map(|mut edge| edge["node"].take()));
        if page["pageInfo"]["hasNextPage"] != true {
            return orders;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The same keys get the same orders, after all that.
pub async fn repeats(report: &mut Report, buyers: &[Shopper], plan: &Plan, on_sale: &[&Variant]) {
    let last = plan.sales.saturating_sub(1);
    let sku = &on_sale[last % on_sale.len()].sku;
    for (index, buyer) in buyers.iter().enumerate() {
        let acknowledged = report.acknowledged.get(&index);
        let bought = acknowledged.and_then(|all| all.iter().find(|(sale, _)| *sale == last));
        let Some((_, order)) = bought.cloned() else {
            continue;
        };
        match buyer::buy(buyer, sku, plan::key(last)).await {
            Outcome::Bought(again) if again == order => {}
            // Its stock was lost meanwhile.
            Outcome::SoldOut if report.lost > 0 => {}
            other => report
                .problems
                .push(format!("buyer {index}: {order}, repeated, became {other:?}")),
        }
    }
}

/// `fondaco reconcile`, when all holds have lapsed.
pub async fn books(report: &mut Report, platform: &Platform) -> Result<(), ProgramError> {
    let (table, balanced) = platform.reconcile().await?;
    if !balanced {
        report.problems.push("the books do not balance".to_owned());
    }
    report.books = table;
    Ok(())
}
