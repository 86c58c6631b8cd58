//! Sales while a process is killed every half second, any process: router, services, Redis, Postgres; Redis forgets everything now and then.

use futures::StreamExt;
use tokio::sync::watch;

use crate::chaos::buyer::{self, Outcome};
use crate::chaos::finding::Finding;
use crate::chaos::killer::{ANYTHING, Killer};
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict::{self, Acknowledged};
use crate::program::ProgramError;
use crate::shop::{self, Shopper, Variant};

/// People have more than one key each, so that ten thousand buyers need not sign up.
const PEOPLE: usize = 500;
/// So many press the button at the same moment.
const AT_ONCE: usize = 1_000;

/// Sells, kills, and looks at every purchase.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let mut lab = Lab::start(settle_soon).await?;
    let people = lab.sign_up(plan.buyers.min(PEOPLE)).await;
    let mut killer = Killer::new(plan.seed, &ANYTHING, plan.every);
    let (mut finding, mut acknowledged) = (Finding::default(), Acknowledged::new());
    for number in 0..plan.sales {
        let variant = lab.variants[number % (lab.variants.len() - 1)].clone();
        shop::set_stock(&lab.merchant, &variant, plan.units).await;
        let before = lab.stock(&variant.sku).await.map_or(0, |stock| stock.sold);
        let outcomes = sell(&mut lab, &mut killer, plan, &people, &variant, number).await?;
        finding.recovery = finding.recovery.max(lab.recovery().await);
        lab.rest().await;
        let what = format!("sale {number}");
        let bought = verdict::answers(&mut finding, &what, outcomes.iter());
        note(&mut acknowledged, &people, &outcomes);
        verdict::stock(&mut finding, &lab, &variant.sku, plan.units, bought).await;
        let late = second_chance(&lab, &people, &variant, number).await;
        let late_bought = verdict::answers(&mut finding, &what, late.iter());
        note(&mut acknowledged, &people, &late);
        let sold = lab.stock(&variant.sku).await.map_or(0, |stock| stock.sold) - before;
        finding.undersold += plan.units.saturating_sub(sold);
        tell(&format!(
            "sale {}/{}: {bought} bought, {late_bought} more when all holds had ended, {} problems; {}",
            number + 1,
            plan.sales,
            finding.problems.len(),
            killer.story()
        ));
    }
    lab.end_everything().await?;
    tell("everything was killed at once and started again");
    lab.rest().await;
    verdict::journal(&mut finding, &people, &acknowledged).await;
    let undersold = finding.undersold;
    finding.expect(undersold == 0, || {
        format!("{undersold} units were left that nobody could buy")
    });
    finding.done = format!(
        "{} sales of {} units to {} buyers; {}",
        plan.sales,
        plan.units,
        plan.buyers,
        killer.story()
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// All buyers at once, while processes die.
async fn sell(
    lab: &mut Lab,
    killer: &mut Killer,
    plan: &Plan,
    people: &[Shopper],
    variant: &Variant,
    number: usize,
) -> Result<Vec<Outcome>, ProgramError> {
    let (over, is_over) = watch::channel(false);
    let buying = async {
        let outcomes = futures::stream::iter(0..plan.buyers)
            .map(|buyer| async move {
                let key = format!("sale-{number}-{buyer}");
                buyer::buy(&people[buyer % people.len()], &variant.sku, &key).await
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        // The killer listens until it has heard it.
        let _ = over.send(true);
        outcomes
    };
    let (outcomes, killed) = tokio::join!(buying, killer.work(lab, is_over));
    killed?;
    Ok(outcomes)
}

/// Units may have been held, while others were told "sold out", for somebody who did not get them in the end. They can be bought now.
async fn second_chance(lab: &Lab, people: &[Shopper], variant: &Variant, number: usize) -> Vec<Outcome> {
    let left = lab.stock(&variant.sku).await.map_or(0, |stock| stock.available);
    let mut outcomes = Vec::new();
    for late in 0..left {
        let person = &people[late as usize % people.len()];
        outcomes.push(buyer::buy(person, &variant.sku, &format!("late-{number}-{late}")).await);
    }
    outcomes
}

fn note(acknowledged: &mut Acknowledged, people: &[Shopper], outcomes: &[Outcome]) {
    for (buyer, outcome) in outcomes.iter().enumerate() {
        if let Outcome::Bought(order) = outcome {
            let person = buyer % people.len();
            acknowledged.entry(person).or_default().insert(order.clone());
        }
    }
}
