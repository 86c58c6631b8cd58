//! The payment service: takes the money for an order once, gives it back, and knows at any time which of both is true.
//!
//! - [`charge`]: record, ask the provider, store the outcome; what happens when the process dies in between
//! - [`status`]: the state machine
//! - [`provider`]: what is asked of a payment provider, and the sandbox
//! - [`store`]: the charges in Postgres; [`books`]: its figures, for reconciling
//! - [`schema`]: `Order.payment` for clients, the charge for the order service
//! - [`config`]: the section `payment` of the configuration file

pub mod books;
pub mod charge;
pub mod config;
mod error;
pub mod provider;
pub mod schema;
pub mod status;
pub mod store;

use std::{sync::Arc, time::Duration};

use fondaco_chassis::{
    GraphqlServer, Readiness, Runtime, Service, StartError, database, federation, service::Tasks,
};
use sqlx::migrate::Migrator;

use crate::{
    charge::Charges,
    config::{PaymentConfig, ProviderName},
    provider::{Provider, sandbox::Sandbox},
    store::Store,
};

const NAME: &str = "payment";

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The SDL this subgraph publishes.
pub fn sdl() -> String {
    federation::sdl(&schema::builder().finish())
}

/// Starts the service with the configured provider.
pub async fn start(config: &PaymentConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let provider: Arc<dyn Provider> = match config.provider {
        ProviderName::Sandbox => Arc::new(Sandbox),
    };
    start_with(provider, config, runtime).await
}

/// Starts the service with any provider.
pub async fn start_with(
    provider: Arc<dyn Provider>,
    config: &PaymentConfig,
    runtime: &Runtime,
) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let store = Store::new(pool.clone());
    let patience = Duration::from_millis(config.provider_timeout_ms);
    let schema = schema::builder()
        .data(Charges::new(store.clone(), provider, patience))
        .finish();
    let tasks = Tasks::new(runtime);
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool))
        .request_data(move |request| request.data(schema::charge_loader(store.clone())))
        .into_router();
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}
