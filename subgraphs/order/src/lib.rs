//! The order service: turns a wish into an order that is paid exactly once, or into a clear reason why not.
//!
//! - [`purchase`]: the table of steps and what happens when the process dies between them, then the steps
//! - [`completion`]: the second step of a payment
//! - [`draft`]: orders that are put together; [`wishlist`]: what is kept for later
//! - [`lines`], [`pricing`], [`hold`]: what is asked for, what it costs, its stock
//! - [`cancellation`], [`refund`], [`fulfilment`], [`lost_stock`]: what happens to an order afterwards
//! - [`saga`]: the decisions, pure
//! - [`settlement`]: what a payment's outcome means for its order, and the sweeper for outcomes nobody waited for
//! - [`order`]: the state machine
//! - [`idempotency`], [`key_retention`]: one operation per key, for a week
//! - [`answer`]: what customers are told, derived from what is stored
//! - [`books`]: its figures, for reconciling
//! - [`peers`]: what is asked of product, inventory and payment
//! - [`store`]: all SQL
//! - [`cache`]: orders that were read before, kept in Redis
//! - [`schema`]: the subgraph
//! - [`config`]: the section `order` of the configuration file

pub mod answer;
pub mod books;
pub mod cache;
pub mod cancellation;
pub mod completion;
pub mod config;
pub mod draft;
pub mod error;
pub mod fulfilment;
pub mod hold;
pub mod idempotency;
pub mod key_retention;
pub mod lines;
pub mod lost_stock;
pub mod order;
pub mod peers;
pub mod pricing;
pub mod purchase;
pub mod refund;
pub mod saga;
pub mod schema;
pub mod settlement;
pub mod store;
pub mod wishlist;

use fondaco_chassis::{
    GraphqlServer, Readiness, Redis, Runtime, Service, StartError, database, federation, service::Tasks,
};
use fondaco_messaging::{Consumer, Relay};
use sqlx::migrate::Migrator;

use crate::{
    cache::OrderCache,
    cancellation::Cancellations,
    completion::Completions,
    config::OrderConfig,
    draft::Drafts,
    fulfilment::Fulfilments,
    lost_stock::StockEvents,
    peers::{inventory::Inventory, payment::Payment, product::Catalogue},
    purchase::Purchases,
    refund::Refunds,
    settlement::Settlement,
    store::Store,
    wishlist::Wishlists,
};

const NAME: &str = "order";
/// The stream of order events, under the Redis prefix.
const STREAM: &str = "events:order";

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The SDL this subgraph publishes.
pub fn sdl() -> String {
    federation::sdl(&schema::builder().finish())
}

/// Starts the service: its schema, the relay of its events, and the sweeper of its open orders.
pub async fn start(config: &OrderConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let redis = Redis::connect(runtime).await?;
    let store = Store::new(pool.clone());
    let cache = OrderCache::new(store.clone(), redis.clone(), config.cache());
    let outdated = cache.clone();
    let relay = Relay::new(pool.clone(), redis.connection(), redis.key(STREAM))
        .deleting(move |event| outdated.outdated_by(event));
    let wake = relay.wake();
    let (inventory, payment) = (Inventory::new(runtime), Payment::new(runtime));
    let catalogue = Catalogue::new(runtime, config.catalogue_freshness());
    let settlement = Settlement::new(
        store.clone(),
        payment.clone(),
        inventory.clone(),
        cache.clone(),
        wake.clone(),
        runtime.clock(),
        config.settle_again(),
    );
    let completions = Completions::new(store.clone(), payment.clone(), settlement.clone(), config.lease());
    let drafts = Drafts::new(store.clone(), catalogue.clone(), wake.clone());
    let wishlists = Wishlists::new(store.clone(), catalogue.clone());
    let refunds = Refunds::new(store.clone(), settlement.clone(), config.lease());
    let fulfilments = Fulfilments::new(store.clone(), settlement.clone(), config.lease());
    let cancellations = Cancellations::new(store.clone(), settlement.clone(), config.lease());
    let purchases = Purchases::new(
        store.clone(),
        catalogue,
        inventory,
        payment,
        settlement.clone(),
        wake,
        config.clone(),
    );

    let consumer = Consumer::new(
        pool.clone(),
        Redis::blocking_connection(runtime)?,
        redis.key(lost_stock::STREAM),
        lost_stock::GROUP,
    );
    let stock_events = StockEvents(settlement.clone());
    let tasks = Tasks::new(runtime);
    tasks.spawn("order.stock", |stop| consumer.run(stock_events, stop));
    tasks.spawn("order.relay", |stop| relay.run(stop));
    tasks.spawn("order.settlement", |stop| {
        settlement.sweep(config.sweep_interval(), stop)
    });
    let keys = store.clone();
    tasks.spawn("order.keys", |stop| key_retention::run(keys, stop));
    let schema = schema::builder()
        .data(store.clone())
        .data(purchases)
        .data(completions)
        .data(drafts)
        .data(wishlists)
        .data(cancellations)
        .data(refunds)
        .data(fulfilments)
        .finish();
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool).redis(redis))
        .request_data(move |request| schema::with_loaders(request, &store, &cache))
        .into_router();
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}
