//! `fondaco reconcile`: proves the books. Per SKU what is available, held and sold is the total, in both stores; per order what was paid
//! less what was given back is what the ledger has.
//!
//! What is under way looks like a difference for a moment; `--wait` gives it the time to settle.

mod compare;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use fondaco_contracts::OrderId;
use fondaco_inventory::books::StockBooks;
use tokio::time::{Instant, sleep};

use crate::commands::reconcile::compare::Difference;
use crate::config::Settings;
use crate::error::CliError;

/// Orders that are compared at a time.
const PAGE: i64 = 5_000;
const PAUSE: Duration = Duration::from_millis(500);

/// Arguments of `fondaco reconcile`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Look again for so long while there are differences.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

/// What one look found.
#[derive(Debug)]
struct Findings {
    stock: Vec<StockBooks>,
    orders: usize,
    differences: Vec<Difference>,
}

/// The books of all services.
struct Books {
    inventory: fondaco_inventory::books::Books,
    order: fondaco_order::books::Books,
    payment: fondaco_payment::books::Books,
}

/// Prints the table of SKUs and all differences; fails where there is one.
pub async fn run(arguments: Arguments) -> Result<ExitCode, CliError> {
    let settings = Settings::load(arguments.config.as_deref(), "warn")?;
    let books = open(&settings).await?;
    let deadline = Instant::now() + Duration::from_secs(arguments.wait);
    let mut findings = look(&books).await?;
    while !findings.differences.is_empty() && Instant::now() < deadline {
        sleep(PAUSE).await;
        findings = look(&books).await?;
    }
    println!("{}", table::text(&findings));
    Ok(if findings.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn open(settings: &Settings) -> Result<Books, CliError> {
    let runtime = settings.runtime_to_read()?;
    Ok(Books {
        inventory: fondaco_inventory::books::Books::open(&runtime).await?,
        order: fondaco_order::books::Books::open(&runtime).await?,
        payment: fondaco_payment::books::Books::open(&runtime).await?,
    })
}

async fn look(books: &Books) -> Result<Findings, CliError> {
    let stock = books.inventory.stock().await.map_err(unreadable)?;
    let mut differences: Vec<Difference> = stock.iter().filter_map(compare::stock).collect();
    let orders = look_at_orders(books, &mut differences)
        .await
        .map_err(unreadable)?;
    look_for_strays(books, &mut differences)
        .await
        .map_err(unreadable)?;
    Ok(Findings {
        stock,
        orders,
        differences,
    })
}

async fn look_at_orders(books: &Books, differences: &mut Vec<Difference>) -> Result<usize, sqlx::Error> {
    let (mut after, mut seen) = (None, 0);
    loop {
        let page = books.order.page(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(seen);
        };
        (after, seen) = (Some(last.id), seen + page.len());
        let ids: Vec<OrderId> = page.iter().map(|order| order.id).collect();
        let names: Vec<_> = page.iter().map(|order| order.reservation).collect();
        let payments = books.payment.of(&ids).await?;
        let reservations = books.inventory.reservations(&names).await?;
        for order in &page {
            let payment = payments.iter().find(|payment| payment.order == order.id);
            let reservation = reservations.get(&order.reservation).copied();
            differences.extend(compare::order(order, payment, reservation));
        }
    }
}

/// Money without an order.
async fn look_for_strays(books: &Books, differences: &mut Vec<Difference>) -> Result<(), sqlx::Error> {
    let mut after: Option<OrderId> = None;
    loop {
        let page = books.payment.page(after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(*last);
        let known = books.order.known(&page).await?;
        let strays = page.iter().filter(|id| !known.contains(id));
        differences.extend(strays.map(|id| compare::stray(*id)));
    }
}

fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::Books(source.into())
}
