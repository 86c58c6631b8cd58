//! The payment service: takes the money for an order once, gives it back, and knows at any time which of both is true.
//!
//! - [`charge`]: record, ask the provider, store the outcome; what happens when the process dies in between
//! - [`status`]: the state machine
//! - [`provider`]: what is asked of a payment provider; the sandbox, and Stripe with its webhooks
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

use std::sync::Arc;

use fondaco_chassis::{
    GraphqlServer, Readiness, Runtime, Service, StartError, database, federation, service::Tasks,
};
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    charge::Charges,
    config::{PaymentConfig, ProviderName},
    provider::{
        Provider,
        sandbox::Sandbox,
        stripe::{Stripe, webhook},
    },
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
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let provider: Arc<dyn Provider> = match config.provider {
        ProviderName::Sandbox => Arc::new(Sandbox),
        ProviderName::Stripe => Arc::new(stripe(config, Store::new(pool.clone()))?),
    };
    Ok(serve(pool, provider, config, runtime))
}

/// Starts the service with any provider.
pub async fn start_with(
    provider: Arc<dyn Provider>,
    config: &PaymentConfig,
    runtime: &Runtime,
) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    Ok(serve(pool, provider, config, runtime))
}

fn stripe(config: &PaymentConfig, store: Store) -> Result<Stripe, StartError> {
    let unusable = |message: String| StartError::Other {
        service: NAME,
        message,
    };
    if config.stripe.secret_key.is_none() {
        return Err(unusable(
            "payment.stripe.secret_key is required for the provider stripe".to_owned(),
        ));
    }
    Stripe::new(&config.stripe, config.patience(), store).map_err(|error| unusable(error.to_string()))
}

fn serve(pool: PgPool, provider: Arc<dyn Provider>, config: &PaymentConfig, runtime: &Runtime) -> Service {
    let store = Store::new(pool.clone());
    let charges = Arc::new(Charges::new(store.clone(), provider, config.patience()));
    let webhooks = config
        .stripe
        .webhook_secret
        .as_deref()
        .map(|secret| webhook::router(Arc::clone(&charges), store.clone(), secret, runtime.clock()));
    let schema = schema::builder().data(charges).finish();
    let tasks = Tasks::new(runtime);
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool))
        .request_data(move |request| request.data(schema::charge_loader(store.clone())))
        .into_router();
    Service {
        name: NAME,
        router: match webhooks {
            Some(webhooks) => router.merge(webhooks),
            None => router,
        },
        tasks,
    }
}
