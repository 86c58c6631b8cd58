//! The broker is down, relay and consumers are killed again and again, every delivery comes three times: no event is lost, none acts twice.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::chaos::buyer::{self, Outcome};
use crate::chaos::finding::Finding;
use crate::chaos::killer::Killer;
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict::{self, Acknowledged};
use crate::program::ProgramError;
use crate::shop::{self, Shopper};

const PEOPLE: usize = 8;
const ORDERS_EACH: usize = 10;
/// Of these every other order is cancelled while the broker is down.
const KILLED_FOR: Duration = Duration::from_secs(5);
const CONVERGED_WITHIN: Duration = Duration::from_secs(10);
/// The relay and the consumers live in these.
const CARRIERS: [&str; 2] = ["order", "inventory"];
const STREAMS: [&str; 2] = ["fondaco:events:order", "fondaco:events:inventory"];

/// Appends every entry of a stream twice more.
const TRIPLE: &str = "local entries = redis.call('XRANGE', KEYS[1], '-', '+')
for _, entry in ipairs(entries) do for n = 1, 2 do redis.call('XADD', KEYS[1], '*', unpack(entry[2])) end end
return #entries";

const CANCEL: &str = "mutation C($input: CancelOrderInput!) { cancelOrder(input: $input) { order { status } userErrors { code } } }";

/// Orders, takes the broker away, cancels, brings it back while the carriers die, and waits until all books agree.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let mut lab = Lab::start(settle_soon).await?;
    let people = lab.sign_up(PEOPLE).await;
    let variant = lab.variants[0].clone();
    let units = (PEOPLE * ORDERS_EACH) as u64;
    shop::set_stock(&lab.merchant, &variant, units).await;
    let mut finding = Finding::default();
    let mut bought = buy(&people, &variant.sku, "before").await;
    lab.redis.kill().await?;
    let cancelled = cancel(&mut finding, &people, &mut bought).await;
    tell(&format!("{cancelled} orders cancelled while the broker is down"));
    sleep(plan.outage).await;
    lab.redis.start_again().await?;
    let story = deliver_thrice_to_the_dying(&mut lab, plan, &people, &variant.sku, &mut bought).await?;
    let began = Instant::now();
    lab.rest().await;
    let (table, balanced) = lab.platform.reconcile_within(CONVERGED_WITHIN).await?;
    let converged = began.elapsed();
    finding.expect(
        balanced && converged <= CONVERGED_WITHIN + Duration::from_secs(3),
        || format!("not converged after {:.1} s:\n{table}", converged.as_secs_f64()),
    );
    finding.figure(format!(
        "converged {:.1} s after the last fault",
        converged.as_secs_f64()
    ));
    finding.recovery = lab.recovery().await;
    verdict::journal(&mut finding, &people, &bought).await;
    let kept = bought.values().map(|orders| orders.len() as u64).sum::<u64>();
    let stock = lab.holds_end(&variant.sku).await;
    finding.expect(stock.is_some_and(|stock| stock.sold == kept), || {
        format!("{kept} orders stand and stock says {stock:?}")
    });
    finding.done = format!(
        "Redis killed for {} s, {cancelled} orders cancelled meanwhile; then every entry of the streams delivered three times, {story}",
        plan.outage.as_secs()
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

async fn buy(people: &[Shopper], sku: &str, name: &str) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    let wishes = (0..people.len() * ORDERS_EACH / 2).map(|number| (number % people.len(), number));
    let mut outcomes = futures::stream::iter(wishes)
        .map(|(person, number)| async move {
            let key = format!("{name}-{number}");
            (person, buyer::buy(&people[person], sku, &key).await)
        })
        .buffer_unordered(people.len());
    while let Some((person, outcome)) = outcomes.next().await {
        if let Outcome::Bought(order) = outcome {
            acknowledged.entry(person).or_default().insert(order);
        }
    }
    acknowledged
}

/// Every other order; how many that were. They are not expected to stand any more.
async fn cancel(finding: &mut Finding, people: &[Shopper], bought: &mut Acknowledged) -> usize {
    let mut cancelled = 0;
    for (person, orders) in bought.iter_mut() {
        let all: Vec<String> = orders.iter().cloned().collect();
        for order in all.into_iter().step_by(2) {
            let input = json!({ "input": { "orderId": order, "idempotencyKey": format!("cancel {order}") } });
            let answer = people[*person].client.query(CANCEL, input).await;
            let status = answer.map(|answer| answer.data()["cancelOrder"]["order"]["status"].clone());
            if status.as_ref().is_ok_and(|status| *status == "CANCELLED") {
                orders.remove(&order);
                cancelled += 1;
            } else {
                finding.problem(format!(
                    "{order} cannot be cancelled without the broker: {status:?}"
                ));
            }
        }
    }
    cancelled
}

/// Buys on meanwhile.
async fn deliver_thrice_to_the_dying(
    lab: &mut Lab,
    plan: &Plan,
    people: &[Shopper],
    sku: &str,
    bought: &mut Acknowledged,
) -> Result<String, ProgramError> {
    let mut killer = Killer::new(plan.seed, &CARRIERS, Duration::from_secs(1));
    let (over, is_over) = watch::channel(false);
    let address = lab.redis.address();
    let repeating = async {
        let began = Instant::now();
        while began.elapsed() < KILLED_FOR {
            for stream in STREAMS {
                // A stream that is not there yet has nothing to repeat.
                let _ = crate::redis_server::call(&address, &["EVAL", TRIPLE, "1", stream]).await;
            }
            sleep(Duration::from_millis(1_700)).await;
        }
        // The killer listens until it has heard it.
        let _ = over.send(true);
    };
    let (more, (), killed) = tokio::join!(buy(people, sku, "after"), repeating, killer.work(lab, is_over));
    killed?;
    for (person, orders) in more {
        bought.entry(person).or_default().extend(orders);
    }
    Ok(killer.story())
}
