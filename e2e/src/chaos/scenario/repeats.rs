//! Every mutation of orders, payments and stock three times at once, while a process that carries it out is killed, and again after
//! everything has died: one effect, the same answer.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Chance, Plan, settle_soon};
use crate::chaos::verdict;
use crate::program::ProgramError;
use crate::shop::{self, Shopper};

const TIMES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
/// A mutation takes about so long.
const MID_WAY_MS: u64 = 40;
const VICTIMS: [&str; 4] = ["order", "inventory", "payment", "router"];

/// What follows from what is stored. How far a refund's money has come may differ from one look to the next.
const ORDER: &str = "order { id status total { amount } refunded { amount } lines { quantity refundedQuantity variant { sku } } } userErrors { code field }";
const STOCK: &str = "stock { sku total } userErrors { code }";

/// A mutation as it is sent, and the first answer.
struct Sent {
    field: &'static str,
    by_merchant: bool,
    query: String,
    input: Value,
    answer: Value,
}

/// Who sends, what was sent, and what is wrong.
struct Story<'a> {
    lab: &'a mut Lab,
    shopper: Shopper,
    chance: Chance,
    sent: Vec<Sent>,
    finding: Finding,
    killed: Vec<&'static str>,
}

/// Tells the story of a few orders, each step thrice, then repeats all of it.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let mut lab = Lab::start(settle_soon).await?;
    let shopper = lab.sign_up(1).await.remove(0);
    let (first, second) = (lab.variants[0].clone(), lab.variants[1].clone());
    for variant in [&first, &second] {
        shop::set_stock(&lab.merchant, variant, 20).await;
    }
    let before = lab.stock(&first.sku).await;
    let mut story = Story {
        lab: &mut lab,
        shopper: shopper.clone(),
        chance: Chance::new(plan.seed),
        sent: Vec::new(),
        finding: Finding::default(),
        killed: Vec::new(),
    };
    let bought = story.tell(&first.sku, &second.sku).await?;
    tell(&format!("{} mutations sent {TIMES} times each", story.sent.len()));
    story.lab.end_everything().await?;
    story.lab.rest().await;
    story.repeat_all().await;
    let (mutations, killed) = (story.sent.len(), story.killed.len());
    let mut finding = story.finding;
    finding.recovery = lab.recovery().await;
    effects(&mut finding, &lab, &shopper, &bought).await;
    // Five were added. Sold: two bought and one of them returned, one paid in two steps, two sent; what was cancelled is back.
    let expected = before.map(|before| (before.total + 5, before.sold + 4));
    let found = units(&lab, &first.sku, expected).await;
    finding.expect(found == expected, || {
        format!("total and sold: {found:?}, expected {expected:?}")
    });
    finding.done = format!(
        "{mutations} mutations {TIMES} times at once, with {killed} kills in the middle of them, and again after the end of everything"
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// Total and sold, at last as `expected`: returned units come by an event.
async fn units(lab: &Lab, sku: &str, expected: Option<(u64, u64)>) -> Option<(u64, u64)> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = lab.holds_end(sku).await.map(|stock| (stock.total, stock.sold));
        if found == expected || Instant::now() > deadline {
            return found;
        }
        sleep(PAUSE).await;
    }
}

/// The orders of the story.
struct Bought {
    cancelled: String,
    refunded: String,
    sent: String,
    two_steps: String,
    draft: String,
}

impl Story<'_> {
    async fn tell(&mut self, first: &str, second: &str) -> Result<Bought, ProgramError> {
        let lines = |quantity: u32| json!([{ "sku": first, "quantity": quantity }]);
        let draft = self
            .order("createOrder", "CreateOrderInput", json!({ "lines": lines(1) }))
            .await?;
        let more = json!({ "orderId": draft, "lines": [{ "sku": second, "quantity": 2 }] });
        self.order("addOrderItems", "AddOrderItemsInput", more).await?;
        let paid = |quantity| json!({ "lines": lines(quantity), "paymentToken": "tok_success" });
        let cancelled = self.order("purchase", "PurchaseInput", paid(3)).await?;
        self.order("cancelOrder", "CancelOrderInput", json!({ "orderId": cancelled }))
            .await?;
        let refunded = self.order("purchase", "PurchaseInput", paid(2)).await?;
        let part = json!({ "orderId": refunded, "lines": lines(1) });
        self.order("requestRefund", "RequestRefundInput", part).await?;
        let two_steps = self.order("startPayment", "PurchaseInput", paid(1)).await?;
        self.order(
            "completePayment",
            "CompletePaymentInput",
            json!({ "orderId": two_steps }),
        )
        .await?;
        let sent = self.order("purchase", "PurchaseInput", paid(2)).await?;
        self.send(
            "fulfillOrder",
            "FulfillOrderInput",
            ORDER,
            true,
            json!({ "orderId": sent, "trackingCode": "T" }),
        )
        .await?;
        let adjustment = json!({ "sku": first, "delta": 5, "reason": "found" });
        self.send("adjustStock", "AdjustStockInput", STOCK, true, adjustment)
            .await?;
        Ok(Bought {
            cancelled,
            refunded,
            sent,
            two_steps,
            draft,
        })
    }

    /// Of a mutation on an order: the order's id.
    async fn order(
        &mut self,
        field: &'static str,
        input_type: &str,
        input: Value,
    ) -> Result<String, ProgramError> {
        let answer = self.send(field, input_type, ORDER, false, input).await?;
        Ok(answer["order"]["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Three times at once, while somebody dies.
    async fn send(
        &mut self,
        field: &'static str,
        input_type: &str,
        selection: &str,
        by_merchant: bool,
        mut input: Value,
    ) -> Result<Value, ProgramError> {
        input["idempotencyKey"] = json!(format!("{field} {}", self.sent.len()));
        let query =
            format!("mutation M($input: {input_type}!) {{ {field}(input: $input) {{ {selection} }} }}");
        let by = if by_merchant {
            self.lab.merchant.clone()
        } else {
            self.shopper.clone()
        };
        let victim = VICTIMS[self.chance.below(VICTIMS.len() as u64) as usize];
        let moment = Duration::from_millis(self.chance.below(MID_WAY_MS));
        let killing = async {
            sleep(moment).await;
            self.lab.platform.kill_part(victim).await?;
            self.lab.platform.launch_part(victim)
        };
        let repeating = join_all((0..TIMES).map(|_| until_answered(&by, field, &query, &input)));
        let (answers, killed) = tokio::join!(repeating, killing);
        killed?;
        self.killed.push(victim);
        let answer = answers[0].clone();
        self.finding
            .expect(answer["userErrors"] == json!([]), || format!("{field}: {answer}"));
        self.finding
            .expect(answers.iter().all(|other| *other == answer), || {
                format!("{field}, sent {TIMES} times, was answered {answers:?}")
            });
        self.sent.push(Sent {
            field,
            by_merchant,
            query,
            input,
            answer: answer.clone(),
        });
        Ok(answer)
    }

    /// An order may have moved on since; it is still the same order, or adjustment, and nothing is done again.
    async fn repeat_all(&mut self) {
        for sent in &self.sent {
            let by = if sent.by_merchant {
                &self.lab.merchant
            } else {
                &self.shopper
            };
            let again = until_answered(by, sent.field, &sent.query, &sent.input).await;
            let same = again["order"]["id"] == sent.answer["order"]["id"]
                && again["userErrors"] == sent.answer["userErrors"]
                && again["stock"]["sku"] == sent.answer["stock"]["sku"];
            self.finding.expect(same, || {
                format!(
                    "{}, sent again after the end of everything, was answered {again} instead of {}",
                    sent.field, sent.answer
                )
            });
        }
    }
}

/// The payload; what is no answer is asked for again.
async fn until_answered(by: &Shopper, field: &str, query: &str, input: &Value) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = by.client.query(query, json!({ "input": input })).await;
        let last = match answer {
            Ok(answer) => {
                let payload = &answer.data()[field];
                let is_open = payload["userErrors"][0]["code"] == "PAYMENT_PENDING";
                if answer.errors().is_empty() && payload.is_object() && !is_open {
                    return payload.clone();
                }
                answer.body
            }
            Err(error) => json!(error.to_string()),
        };
        if Instant::now() > deadline {
            return last;
        }
        sleep(PAUSE).await;
    }
}

/// Each once, by the customer's list of orders with their payments and histories.
async fn effects(finding: &mut Finding, lab: &Lab, shopper: &Shopper, bought: &Bought) {
    let orders = match verdict::orders(shopper).await {
        Ok(orders) => orders,
        Err(answer) => return finding.problem(answer),
    };
    finding.acknowledged = orders.len();
    finding.expect(orders.len() == 5, || {
        format!("{} orders instead of 5", orders.len())
    });
    for (id, status, part_refunded, events) in [
        (
            &bought.cancelled,
            "CANCELLED",
            1.0,
            "PLACED PAYMENT_CAPTURED CANCELLED",
        ),
        (
            &bought.refunded,
            "CONFIRMED",
            0.5,
            "PLACED PAYMENT_CAPTURED PARTLY_REFUNDED",
        ),
        (
            &bought.sent,
            "FULFILLED",
            0.0,
            "PLACED PAYMENT_CAPTURED FULFILLED",
        ),
        (&bought.two_steps, "CONFIRMED", 0.0, "PLACED PAYMENT_CAPTURED"),
        (&bought.draft, "DRAFT", 0.0, "DRAFTED"),
    ] {
        let order = orders.get(id).cloned().unwrap_or_default();
        let history = order["history"].as_array().into_iter().flatten();
        let history: Vec<&str> = history.filter_map(|entry| entry["event"].as_str()).collect();
        let amount = |of: &str| order["payment"][of]["amount"].as_f64().unwrap_or(0.0);
        let refunded = part_refunded * amount("amount") == amount("refunded");
        let right = order["status"] == status && history.join(" ") == events && refunded;
        finding.expect(right, || {
            format!("expected {status}, {events}, {part_refunded} given back: {order}")
        });
    }
    finding.sold = lab
        .stock(&lab.variants[0].sku)
        .await
        .map_or(0, |stock| stock.sold);
}
