//! Every acknowledged purchase is written down by its buyer before the next one; then everything is killed at once. All of them are there.

use std::collections::HashSet;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;

use crate::chaos::buyer::{self, Outcome};
use crate::chaos::finding::Finding;
use crate::chaos::lab::Lab;
use crate::chaos::plan::{Plan, settle_soon};
use crate::chaos::verdict::{self, Acknowledged};
use crate::program::ProgramError;
use crate::scratch::Scratch;
use crate::shop::{self, Shopper};

/// So many buy at the same time.
const PEOPLE: usize = 24;

/// Buys, kills everything while more is being bought, and looks for every line of the journal.
pub async fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Finding, ProgramError> {
    let mut lab = Lab::start(settle_soon).await?;
    let people = lab.sign_up(PEOPLE).await;
    let variant = lab.variants[0].clone();
    let units = (plan.acknowledgements + 2 * PEOPLE) as u64;
    shop::set_stock(&lab.merchant, &variant, units).await;
    let (folder, mut finding) = (Scratch::new("journal")?, Finding::default());
    let journal = Journal::create(&folder)?;
    let shopping = join_all(
        people
            .iter()
            .enumerate()
            .map(|(index, person)| shop_on(index, person, &variant.sku, &journal)),
    );
    let killing = async {
        while journal.len() < plan.acknowledgements {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if journal.len().is_multiple_of(1_000) && journal.len() > 0 {
                tell(&format!(
                    "{} of {} acknowledged",
                    journal.len(),
                    plan.acknowledgements
                ));
            }
        }
        journal.enough.store(true, Ordering::Relaxed);
        lab.end_everything().await
    };
    let (outcomes, killed) = tokio::join!(shopping, killing);
    killed?;
    tell("everything was killed at once and started again");
    finding.recovery = lab.recovery().await;
    lab.rest().await;
    for outcome in outcomes.into_iter().flatten() {
        finding.problem(format!("a purchase ended with {outcome:?}"));
    }
    let lines = journal.read()?;
    verdict::journal(&mut finding, &people, &lines).await;
    let bought = lines.values().map(HashSet::len).sum::<usize>() as u64;
    verdict::stock(&mut finding, &lab, &variant.sku, units, bought).await;
    finding.done = format!(
        "kill -9 of all parts, Redis and Postgres at once after {} acknowledgements, while {PEOPLE} people were buying",
        plan.acknowledgements
    );
    lab.close(&mut finding).await?;
    Ok(finding)
}

/// Buys until there is enough; what is under way then is still brought to its end. Gives what is neither bought nor to be tried again.
async fn shop_on(index: usize, person: &Shopper, sku: &str, journal: &Journal) -> Option<Outcome> {
    let mut number = 0;
    while !journal.enough.load(Ordering::Relaxed) {
        number += 1;
        match buyer::buy(person, sku, &format!("journal-{number}")).await {
            Outcome::Bought(order) => journal.write(index, &order),
            other => return Some(other),
        }
    }
    None
}

/// A file of lines `BUYER ORDER`.
struct Journal {
    path: std::path::PathBuf,
    file: Mutex<std::fs::File>,
    lines: AtomicUsize,
    enough: AtomicBool,
}

impl Journal {
    fn create(folder: &Scratch) -> std::io::Result<Self> {
        let path = folder.path().join("journal");
        Ok(Self {
            file: Mutex::new(std::fs::File::create(&path)?),
            path,
            lines: AtomicUsize::new(0),
            enough: AtomicBool::new(false),
        })
    }

    fn len(&self) -> usize {
        self.lines.load(Ordering::Relaxed)
    }

    fn write(&self, buyer: usize, order: &str) {
        let line = format!("{buyer} {order}\n");
        let mut file = self.file.lock().expect("no writer panics");
        file.write_all(line.as_bytes())
            .expect("the journal can be written");
        self.lines.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> std::io::Result<Acknowledged> {
        let mut acknowledged = Acknowledged::new();
        for line in std::fs::read_to_string(&self.path)?.lines() {
            if let Some((buyer, order)) = line.split_once(' ') {
                let buyer = buyer.parse().map_err(std::io::Error::other)?;
                acknowledged.entry(buyer).or_default().insert(order.to_owned());
            }
        }
        Ok(acknowledged)
    }
}
