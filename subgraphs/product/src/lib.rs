//! The product service: the catalogue that shoppers browse and merchants write.
//!
//! - [`config`]: its section of the configuration file
//! - [`product`]: its terms; [`draft`]: what merchants write, checked
//! - `schema`: the GraphQL side; `loaders`: one statement for many keys
//! - `catalogue`: reads, kept in memory until they change
//! - `store`: all SQL; `cursor`, `search`: how the listing is paged and searched
//! - `seed`: the demo catalogue

mod catalogue;
pub mod config;
mod cursor;
pub mod draft;
mod error;
mod loaders;
pub mod product;
mod schema;
mod search;
mod seed;
mod store;

use fondaco_chassis::{GraphqlServer, Readiness, Runtime, Service, StartError, Tasks, database, federation};

use catalogue::Catalogue;
pub use config::ProductConfig;
use error::WriteError;
use store::Store;

/// The service's name, as other parts know it.
pub const NAME: &str = "product";

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The subgraph's Federation 2 SDL.
pub fn sdl() -> String {
    federation::sdl(&schema::builder().finish())
}

/// Opens the catalogue and gives the service that serves it.
pub async fn start(config: &ProductConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let store = Store::new(pool.clone());
    if config.demo {
        seed::load(&store).await.map_err(unseeded)?;
    }
    let tasks = Tasks::new(runtime);
    let catalogue = Catalogue::new(store.clone(), config.keep_seconds);
    if config.keep_seconds > 0 {
        tasks.spawn("product.follower", |stop| {
            catalogue.clone().follow(pool.clone(), stop)
        });
    }
    let schema = schema::builder().data(store).data(catalogue.clone()).finish();
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool))
        .request_data(move |request| loaders::attach(request, &catalogue))
        .into_router();
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}

fn unseeded(error: WriteError) -> StartError {
    match error {
        WriteError::Database(source) => StartError::Data {
            service: NAME,
            source,
        },
        other => StartError::Other {
            service: NAME,
            message: format!("the demo catalogue: {other}"),
        },
    }
}
