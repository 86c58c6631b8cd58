//! The clock of one process after another is ten minutes wrong: nothing expires early or twice, and one can buy, or is told that clocks
//! differ. Postgres' clock is the one by which the others are judged.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::chaos::buyer::{self, Outcome};
use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Plan, settle_soon};
use crate::program::ProgramError;
use crate::shop::{self, Shopper};

const OFF_SECONDS: i64 = 600;
/// Long enough for reaper and sweeper to look, more than once.
const UNDER_WRONG_TIME: Duration = Duration::from_millis(1_500);
const PATIENCE: Duration = Duration::from_secs(10);
// Not Redis: its allocator does not run under libfaketime.
const WRONG: [&str; 6] = ["order", "inventory", "payment", "router", "product", "auth"];

const START: &str = "mutation S($input: PurchaseInput!) { startPayment(input: $input) { order { id status } userErrors { code } } }";
const COMPLETE: &str = "mutation C($input: CompletePaymentInput!) { completePayment(input: $input) { order { id status } userErrors { code } } }";

/// Sets one clock after another wrong, ahead and behind, and looks at holds that are neither to expire early nor twice.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let library = library()?;
    let mut lab = Lab::start(settle_soon).await?;
    let shopper = lab.sign_up(1).await.remove(0);
    let variant = lab.variants[0].clone();
    shop::set_stock(&lab.merchant, &variant, 100).await;
    let mut finding = Finding::default();
    let mut lapsing = Vec::new();
    // Ahead and behind in turn, so that a few cases are of many kinds.
    let signs = [1, -1].into_iter().cycle();
    let (one, other) = (WRONG.iter().zip(signs.clone()), WRONG.iter().zip(signs.skip(1)));
    let cases = one.chain(other).map(|(part, sign)| (*part, sign * OFF_SECONDS));
    for (number, (part, seconds)) in cases.take(plan.clocks).enumerate() {
        let held = start(&shopper, &variant.sku, &format!("held {number}")).await;
        lapsing.push(start(&shopper, &variant.sku, &format!("lapsing {number}")).await);
        set_clock(&mut lab, part, Some((&library, seconds))).await?;
        let told = buy(&shopper, &variant.sku, &format!("wrong {number}")).await;
        sleep(UNDER_WRONG_TIME).await;
        let status = status(&lab, &held).await?;
        finding.expect(status == "PENDING", || {
            format!("{part} {seconds:+} s: a hold of 20 s has become {status}")
        });
        set_clock(&mut lab, part, None).await?;
        lab.rest().await;
        let expected = if part == "router" {
            "CLOCKS_DIFFER"
        } else {
            "bought"
        };
        finding.expect(told == expected, || {
            format!("{part} {seconds:+} s: {told} instead of {expected}")
        });
        finding.acknowledged += usize::from(told == "bought");
        let completed = complete(&shopper, &held).await;
        finding.expect(completed == "CONFIRMED", || {
            format!("{part} {seconds:+} s: the hold could not be paid: {completed}")
        });
        finding.sold += u64::from(told == "bought") + u64::from(completed == "CONFIRMED");
        tell(&format!("{part} {seconds:+} s: {told}"));
    }
    finding.recovery = lab.recovery().await;
    expired_once(&mut finding, &lab, &variant.sku, &lapsing).await?;
    finding.done = format!(
        "clocks of {} wrong by {OFF_SECONDS} s, ahead or behind, {} times, one after another",
        WRONG[..plan.clocks.min(WRONG.len())].join(", "),
        plan.clocks
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// What has lapsed is FAILED, once, and its units are there again, once.
async fn expired_once(
    finding: &mut Finding,
    lab: &Lab,
    sku: &str,
    lapsing: &[String],
) -> Result<(), ProgramError> {
    let stock = lab.holds_end(sku).await;
    let sold = finding.sold;
    finding.expect(
        stock.is_some_and(|stock| stock.sold == sold && stock.available == 100 - sold),
        || format!("{sold} were sold of 100 and stock says {stock:?}"),
    );
    for order in lapsing {
        let (mut is, mut times) = (String::new(), String::new());
        // The sweeper finds it soon after inventory has.
        for _ in 0..100 {
            is = status(lab, order).await?;
            let count = format!(
                "select count(*) from order_transition where order_id = '{order}' and event = 'PAYMENT_DECLINED'"
            );
            times = lab.postgres.sql("fondaco_order", &count).await?;
            if is == "FAILED" {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        finding.expect(is == "FAILED" && times == "1", || {
            format!("{order} lapsed and is {is}, {times} times")
        });
    }
    Ok(())
}

/// Restarts a part under a clock that is off by so much, or right.
async fn set_clock(lab: &mut Lab, part: &str, wrong: Option<(&PathBuf, i64)>) -> Result<(), ProgramError> {
    let environment = wrong.map(|(library, seconds)| {
        vec![
            ("LD_PRELOAD", library.to_string_lossy().into_owned()),
            ("FAKETIME", format!("{seconds:+}")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    });
    let environment = environment.unwrap_or_default();
    lab.platform.set_environment(part, environment);
    lab.platform.kill_part(part).await?;
    lab.platform.start_part(part).await
}

/// `bought`, or why not.
async fn buy(shopper: &Shopper, sku: &str, key: &str) -> String {
    let input = shop::order(sku, 1, "tok_success", key);
    if let Ok(answer) = shopper.client.query(shop::PURCHASE, input).await
        && answer.error_code() == "CLOCKS_DIFFER"
    {
        let named = answer.errors()[0]["message"]
            .as_str()
            .is_some_and(|message| message.contains("clock"));
        return if named {
            "CLOCKS_DIFFER".to_owned()
        } else {
            answer.body.to_string()
        };
    }
    match buyer::buy_within(shopper, sku, key, PATIENCE).await {
        Outcome::Bought(_) => "bought".to_owned(),
        other => format!("{other:?}"),
    }
}

async fn start(shopper: &Shopper, sku: &str, key: &str) -> String {
    let input = shop::order(sku, 1, "tok_success", key);
    let payload = answered(shopper, START, "startPayment", &input).await;
    payload["order"]["id"].as_str().unwrap_or_default().to_owned()
}

async fn complete(shopper: &Shopper, order: &str) -> String {
    let input = json!({ "input": { "orderId": order, "idempotencyKey": format!("complete {order}") } });
    let payload = answered(shopper, COMPLETE, "completePayment", &input).await;
    payload["order"]["status"]
        .as_str()
        .map_or_else(|| payload.to_string(), str::to_owned)
}

async fn answered(shopper: &Shopper, query: &str, field: &str, input: &Value) -> Value {
    let mut last = Value::Null;
    for _ in 0..50 {
        match shopper.client.query(query, input.clone()).await {
            Ok(answer) if answer.errors().is_empty() => return answer.data()[field].clone(),
            Ok(answer) => last = answer.body,
            Err(error) => last = json!(error.to_string()),
        }
        sleep(Duration::from_millis(100)).await;
    }
    last
}

/// Where an order stands in order's database, whoever may ask for it at the moment.
async fn status(lab: &Lab, order: &str) -> Result<String, ProgramError> {
    let question = format!("select status from orders where id = '{order}'");
    Ok(lab.postgres.sql("fondaco_order", &question).await?)
}

/// Of Debian's package faketime: for programs with threads.
fn library() -> std::io::Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        std::io::Error::other("libfaketime is not installed: it is in Debian's package faketime")
    })
}
