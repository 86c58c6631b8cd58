//! The payment provider loses half of its replies, sends webhooks twice and out of order, and payment is killed meanwhile: nobody is charged
//! or paid back twice, by the provider's own books.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::bank::{Bank, KEY, Money, WEBHOOK_SECRET};
use crate::chaos::buyer::{self, Outcome};
use crate::chaos::finding::Finding;
use crate::chaos::killer::Killer;
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict;
use crate::program::ProgramError;
use crate::shop::{self, Shopper};

const PEOPLE: usize = 12;
const PATIENCE: Duration = Duration::from_secs(90);
const CARRIERS: [&str; 2] = ["payment", "order"];

const CANCEL: &str = "mutation C($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } userErrors { code } } }";

/// Buys, cancels every other order, and compares with what the provider has.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let (bank, url) = Bank::open(plan.seed).await?;
    let mut lab = Lab::start(|config| {
        settle_soon(config);
        config["payment"]["provider"] = json!("stripe");
        config["payment"]["provider_timeout_ms"] = json!(500);
        config["payment"]["stripe"] =
            json!({ "url": url, "secret_key": KEY, "webhook_secret": WEBHOOK_SECRET });
    })
    .await?;
    bank.send_webhooks_to(lab.platform.url("payment", "/webhooks/stripe"));
    let people = lab.sign_up(PEOPLE).await;
    let variant = lab.variants[0].clone();
    let orders = plan.buyers;
    shop::set_stock(&lab.merchant, &variant, orders as u64).await;
    let mut killer = Killer::new(plan.seed, &CARRIERS, plan.every * 4);
    let (over, is_over) = watch::channel(false);
    let buying = async {
        let outcomes = buy_and_cancel(&people, &variant.sku, orders).await;
        // The killer listens until it has heard it.
        let _ = over.send(true);
        outcomes
    };
    let (outcomes, killed) = tokio::join!(buying, killer.work(&mut lab, is_over));
    killed?;
    tell(&format!(
        "{} orders bought, every other one cancelled",
        outcomes.len()
    ));
    lab.rest().await;
    let mut finding = Finding::default();
    for problem in outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .chain(&bank.problems())
    {
        finding.problem(problem.clone());
    }
    finding.acknowledged = outcomes.iter().flatten().count();
    let price = i64::try_from(variant.price).unwrap_or(0);
    let kept = outcomes.iter().flatten().filter(|(_, cancelled)| !cancelled);
    finding.sold = kept.count() as u64;
    money(&mut finding, &bank, outcomes.iter().flatten(), price).await;
    strays(&mut finding, &bank, &people).await;
    finding.recovery = lab.recovery().await;
    let (lost, webhooks) = bank.troubles();
    finding.figure(format!("{lost} replies lost, {webhooks} webhooks"));
    finding.done = format!(
        "{orders} orders, every other one cancelled; the provider loses half of its replies and sends webhooks twice in any order; {}",
        killer.story()
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

type Ordered = Result<(String, bool), String>;

/// Each order with whether it was cancelled.
async fn buy_and_cancel(people: &[Shopper], sku: &str, orders: usize) -> Vec<Ordered> {
    futures::stream::iter(0..orders)
        .map(|number| async move {
            let person = &people[number % people.len()];
            let key = format!("order-{number}");
            let order = match buyer::buy(person, sku, &key).await {
                Outcome::Bought(order) => order,
                other => return Err(format!("{key}: {other:?}")),
            };
            let cancelled = number % 2 == 1;
            if cancelled {
                cancel(person, &order).await?;
            }
            Ok((order, cancelled))
        })
        .buffer_unordered(people.len())
        .collect()
        .await
}

async fn cancel(person: &Shopper, order: &str) -> Result<(), String> {
    let input = json!({ "input": { "orderId": order, "idempotencyKey": format!("cancel {order}") } });
    let deadline = Instant::now() + PATIENCE;
    loop {
        let last = match person.client.query(CANCEL, input.clone()).await {
            Ok(answer) if answer.data()["cancelOrder"]["order"]["status"] == "CANCELLED" => return Ok(()),
            Ok(answer) => answer.body.to_string(),
            Err(error) => error.to_string(),
        };
        if Instant::now() > deadline {
            return Err(format!("{order} cannot be cancelled: {last}"));
        }
        sleep(Duration::from_millis(150)).await;
    }
}

/// Exactly the price was taken, and given back where the order was cancelled.
async fn money(
    finding: &mut Finding,
    bank: &Bank,
    orders: impl Iterator<Item = &(String, bool)>,
    price: i64,
) {
    for (order, cancelled) in orders {
        let expected = Money {
            intents: 1,
            captured: price,
            refunded: if *cancelled { price } else { 0 },
        };
        let deadline = Instant::now() + PATIENCE;
        // The sweeper goes on asking for what was not answered.
        while bank.money(order) != expected && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
        }
        let has = bank.money(order);
        finding.expect(has == expected, || {
            format!("{order}: the provider has {has:?}, expected {expected:?}")
        });
    }
}

/// The provider keeps no money for an order that is not paid.
async fn strays(finding: &mut Finding, bank: &Bank, people: &[Shopper]) {
    let mut paid = HashSet::new();
    for person in people {
        match verdict::orders(person).await {
            Ok(orders) => paid.extend(
                orders
                    .into_iter()
                    .filter(|(_, order)| order["status"] == "CONFIRMED")
                    .map(|(id, _)| id),
            ),
            Err(answer) => finding.problem(answer),
        }
    }
    for order in bank.orders().iter().filter(|order| !paid.contains(*order)) {
        let has = bank.money(order);
        finding.expect(has.captured == has.refunded, || {
            format!("{order} is not paid for and the provider has {has:?}")
        });
    }
}
