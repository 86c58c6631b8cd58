//! A steady load of purchases, each answer with its time and its code.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::buyer::{self, Outcome};
use super::verdict::Acknowledged;
use crate::shop::{self, Shopper};

/// Whoever was refused presses again after a moment, with another wish.
const PAUSE: Duration = Duration::from_millis(25);

/// One press of the button.
#[derive(Clone, Debug)]
pub struct Press {
    /// Since the load began.
    pub at: Duration,
    /// Until the answer.
    pub took: Duration,
    /// The order; else the code of the error, or what happened to the connection.
    pub ended: Result<String, String>,
    buyer: usize,
    key: String,
}

/// Buyers who go on buying until they are told to stop.
#[derive(Debug)]
pub struct Load {
    began: Instant,
    presses: Arc<Mutex<Vec<Press>>>,
    over: Arc<AtomicBool>,
    workers: JoinSet<()>,
}

impl Load {
    /// Everybody buys one unit of `sku` after another.
    pub fn start(people: &[Shopper], sku: &str) -> Self {
        let began = Instant::now();
        let (presses, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let number = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for (buyer, person) in people.iter().enumerate() {
            let (person, sku) = (person.clone(), sku.to_owned());
            let (presses, over, number) = (Arc::clone(&presses), Arc::clone(&over), Arc::clone(&number));
            workers.spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let key = format!("load-{}", number.fetch_add(1, Ordering::Relaxed));
                    let pressed = Instant::now();
                    let ended = press(&person, &sku, &key).await;
                    let failed = ended.is_err();
                    presses.lock().expect("no worker panics").push(Press {
                        at: pressed - began,
                        took: pressed.elapsed(),
                        ended,
                        buyer,
                        key,
                    });
                    if failed {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
        }
        Self {
            began,
            presses,
            over,
            workers,
        }
    }

    /// The time since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Purchases a second that were answered in the time from `from` to `to`.
    pub fn rate(&self, from: Duration, to: Duration) -> f64 {
        let presses = self.presses.lock().expect("no worker panics");
        let within = presses.iter().filter(|press| {
            let answered = press.at + press.took;
            press.ended.is_ok() && answered >= from && answered < to
        });
        within.count() as f64 / (to - from).as_secs_f64()
    }

    /// Ends it; every press, in the order of answers.
    pub async fn stop(mut self) -> Vec<Press> {
        self.over.store(true, Ordering::Relaxed);
        while self.workers.join_next().await.is_some() {}
        std::mem::take(&mut self.presses.lock().expect("no worker panics"))
    }
}

async fn press(person: &Shopper, sku: &str, key: &str) -> Result<String, String> {
    let input = shop::order(sku, 1, "tok_success", key);
    let answer = person.client.query(shop::PURCHASE, input).await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let payload = &answer.data()["purchase"];
    match (
        payload["order"]["status"].as_str(),
        payload["order"]["id"].as_str(),
    ) {
        (Some("CONFIRMED"), Some(id)) => Ok(id.to_owned()),
        _ if !answer.error_code().is_empty() => Err(answer.error_code().to_owned()),
        _ => Err(shop::user_error(&answer, "purchase").to_owned()),
    }
}

/// Repeats what was refused until it is answered: what was done although nobody was told comes to light. All acknowledgements.
pub async fn repeat_refused(
    people: &[Shopper],
    sku: &str,
    presses: &[Press],
) -> Result<Acknowledged, String> {
    let mut acknowledged = Acknowledged::new();
    for press in presses {
        let order = match &press.ended {
            Ok(order) => order.clone(),
            Err(code) => match buyer::buy(&people[press.buyer], sku, &press.key).await {
                Outcome::Bought(order) => order,
                other => return Err(format!("{code}, then {other:?}")),
            },
        };
        acknowledged.entry(press.buyer).or_default().insert(order);
    }
    Ok(acknowledged)
}
