//! Reads with and without what services keep of them: an order by its id (`order.cache_seconds`), and the product list
//! (`product.keep_seconds`).

use fondaco_e2e::{platform::Platform, program::ProgramError};

use crate::load::{self, Bounds, Workload};
use crate::{Arguments, one, scenario};

/// Requests a second of each read.
type Rates = Vec<(&'static str, f64)>;

/// Measures on two platforms, one after the other, and returns the number of failed requests.
pub async fn run(arguments: &Arguments) -> Result<u64, ProgramError> {
    let mut failures = 0;
    let (mut without, mut with) = (Rates::new(), Rates::new());
    for (caches, rates) in [("without caches", &mut without), ("with caches", &mut with)] {
        let mode = arguments.mode();
        let mut platform = if caches == "with caches" {
            Platform::start_durable(mode, scenario::configure).await?
        } else {
            Platform::start_durable(mode, scenario::configure_without_caches).await?
        };
        failures += measure(&platform, arguments, caches, rates).await;
        platform.stop().await?;
    }
    println!("\nreads with caches, compared with none");
    for ((name, without), (_, with)) in without.iter().zip(&with) {
        println!("  {name:<14} {:.2} ×", with / without.max(f64::EPSILON));
    }
    Ok(failures)
}

async fn measure(platform: &Platform, arguments: &Arguments, caches: &str, rates: &mut Rates) -> u64 {
    let prepared = scenario::prepare(platform).await;
    let bounds = |seconds| Bounds::closed(arguments.connections, seconds);
    let reads: [(&str, Workload); 2] = [
        ("order by id", scenario::order_by_id(&prepared)),
        ("product list", scenario::product_list()),
    ];
    let mut failures = 0;
    for (name, workload) in reads {
        load::run(&platform.addresses["router"], &workload, bounds(2)).await;
        let title = format!("reads: {name}, {caches}");
        let outcome = one(platform, &title, &workload, bounds(arguments.seconds)).await;
        failures += outcome.failed;
        rates.push((name, outcome.rate()));
    }
    failures
}
