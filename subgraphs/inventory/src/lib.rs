//! The inventory service: what is available, and who holds it until it is paid.
//!
//! - [`config`]: its section of the configuration file
//! - [`reservation`]: its terms and the state machine; [`books`]: its figures, for reconciling
//! - `inventory`: what it does, across both stores, and why they stay in step
//! - `counters` with `reserve.lua`, `confirm.lua`, `release.lua`, `load.lua`, `overdue.lua`, `mark.lua`: Redis admits
//! - `epoch`: whether Redis still has what it was told, and what happens if not; `loading`: counters are made from Postgres
//! - `store`: Postgres decides, many reservations in one transaction
//! - `reaper`: holds expire; `orders`: what happens to orders settles them
//! - `schema`: the GraphQL side; `availability`: its data loader
//! - `seed`: stock for the demo catalogue

mod availability;
pub mod books;
pub mod config;
mod counters;
mod epoch;
mod inventory;
mod loading;
mod orders;
mod reaper;
pub mod reservation;
mod schema;
mod seed;
mod store;

use std::time::Duration;

use fondaco_chassis::{
    GraphqlServer, Readiness, Redis, Runtime, Service, StartError, Tasks, database, federation,
};
use fondaco_messaging::{Consumer, Relay};
use sqlx::PgPool;

pub use config::InventoryConfig;
use counters::Counters;
use inventory::Inventory;
use orders::OrderEvents;
use store::Store;

/// The service's name, as other parts know it.
pub const NAME: &str = "inventory";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The subgraph's Federation 2 SDL.
pub fn sdl() -> String {
    federation::sdl(&schema::builder().finish())
}

/// Opens the stores, loads the counters that are missing and gives the service.
pub async fn start(config: &InventoryConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let redis = Redis::connect(runtime).await?;
    let inventory = open(config, pool.clone(), redis.clone()).await?;
    let tasks = Tasks::new(runtime);
    spawn(config, runtime, &tasks, &inventory, &pool, &redis).await?;
    let schema = schema::builder().data(inventory.clone()).finish();
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool).redis(redis))
        .request_data(move |request| availability::attach(request, &inventory))
        .into_router();
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}

async fn open(config: &InventoryConfig, pool: PgPool, redis: Redis) -> Result<Inventory, StartError> {
    let store = Store::new(pool);
    if config.demo {
        seed::load(&store).await.map_err(unprepared)?;
    }
    let epoch = store.epoch().await.map_err(unprepared)?;
    let inventory = Inventory::new(store, Counters::new(redis, epoch));
    inventory
        .guard()
        .look()
        .await
        .map_err(|error| StartError::Other {
            service: NAME,
            message: format!("loading stock: {error}"),
        })?;
    Ok(inventory)
}

async fn spawn(
    config: &InventoryConfig,
    runtime: &Runtime,
    tasks: &Tasks,
    inventory: &Inventory,
    pool: &PgPool,
    redis: &Redis,
) -> Result<(), StartError> {
    let interval = Duration::from_millis(config.reaper_interval_ms.max(1));
    let guard = inventory.guard();
    tasks.spawn("inventory.epoch", |stop| async move { guard.watch(stop).await });
    tasks.spawn("inventory.reaper", |stop| {
        reaper::run(inventory.clone(), interval, stop)
    });
    let connection = Redis::blocking_connection(runtime)?;
    let consumer = Consumer::new(pool.clone(), connection, redis.key(orders::STREAM), orders::GROUP);
    let relay = Relay::new(pool.clone(), redis.connection(), redis.key(orders::PUBLISHED));
    let handler = OrderEvents::new(inventory.clone(), relay.wake());
    tasks.spawn("inventory.relay", |stop| relay.run(stop));
    tasks.spawn("inventory.orders", |stop| consumer.run(handler, stop));
    Ok(())
}

fn unprepared(source: sqlx::Error) -> StartError {
    StartError::Data {
        service: NAME,
        source,
    }
}
