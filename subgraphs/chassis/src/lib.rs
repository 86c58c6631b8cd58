//! What every Fondaco service shares, so that a service's own crate holds only its own concerns.
//!
//! - [`config`]: one YAML file, unknown keys named, overridden by the environment
//! - [`runtime`]: what a service is started with
//! - [`database`], [`redis`]: the service's own database with its migrations; the shared Redis under a key prefix
//! - [`pulse`], [`clock`]: whether Postgres answers, and the time it has
//! - [`caller`]: who calls, proven by the `fondaco-caller` header; guards for fields
//! - [`identity`]: signs and verifies that header
//! - [`federation`]: the schema builder, `@authenticated`, and the SDL a service publishes
//! - [`server`]: axum router around a schema, with health, readiness and limits
//! - [`batch`]: many callers, one transaction
//! - [`data_loader`]: how data loaders wait for keys
//! - [`request_id`]: the `x-request-id` that joins the logs of one request
//! - [`service`]: a started service: its router and its background tasks
//! - [`client`], [`peers`]: calls from service to service
//! - [`error`]: faults, mapped once to `extensions.code`
//! - [`telemetry`]: structured logs
//! - `testing` (feature): databases and callers for integration tests
//!
//! # How a service is built
//!
//! ```ignore
//! #[derive(Clone, Debug, Deserialize)]
//! #[serde(deny_unknown_fields, default)]
//! pub struct ProductConfig { pub listen: SocketAddr, pub demo: bool }
//!
//! static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();   // subgraphs/product/migrations/0001_name.sql
//!
//! pub fn sdl() -> String { federation::sdl(&schema::builder().finish()) }
//!
//! pub async fn start(config: &ProductConfig, runtime: &Runtime) -> Result<Service, StartError> {
//!     let pool = database::open(runtime, "product", &MIGRATIONS).await?;
//!     let redis = Redis::connect(runtime).await?;
//!     let tasks = Tasks::new(runtime);
//!     tasks.spawn("product.relay", |stop| relay(pool.clone(), stop));
//!     let schema = schema::builder().data(Store::new(pool.clone())).finish();
//!     let router = GraphqlServer::new(runtime, &tasks, "product", schema)
//!         .readiness(Readiness::default().database(pool).redis(redis))
//!         .request_data(move |request| request.data(loaders(&store)))     // data loaders live for one request
//!         .into_router();
//!     Ok(Service { name: "product", router, tasks })
//! }
//! ```
//!
//! Build schemas with [`federation::schema`]: it sets the limits and turns federation on.
//!
//! # Errors
//!
//! Resolvers return `Result<T, ApiError>`. The workspace builds async-graphql with `custom-error-conversion`, so `?` on an error that nobody
//! mapped does not compile, and internals cannot leak. What the user can put right belongs into the payload's `userErrors` instead.
//!
//! # Access
//!
//! The directives tell the router; the guards make the service safe without it. A field needs both:
//!
//! ```ignore
//! #[graphql(directive = authenticated::apply(), guard = "require_user()")]
//! async fn orders(&self, ctx: &Context<'_>) -> Result<OrderConnection, ApiError> { let user = caller(ctx).require_user()?; … }
//!
//! #[graphql(requires_scopes = "product:write", guard = "require_scope(\"product:write\")")]   // "a b" is a AND b; repeat the attribute for OR
//! async fn create_product(&self, …) -> …
//!
//! #[graphql(inaccessible, guard = "require_service()")]
//! async fn reserve_stock(&self, …) -> …
//! ```
//!
//! async-graphql 7.2 writes `@requiresScopes` and `@shareable`, `@key`, `@inaccessible` itself; `@authenticated` it does not know, so
//! [`federation::authenticated`] adds it and [`federation::sdl`] imports it. `@key(…, resolvable: false)` is written for an object
//! with `#[graphql(unresolvable = "sku")]`; `@key` comes from `#[graphql(entity)]` finders.
//!
//! An entity finder returns `Result<Option<T>, ApiError>`: `None` makes one entity null, an error fails the whole `_entities` call.

pub mod batch;
pub mod caller;
pub mod client;
pub mod clock;
pub mod config;
pub mod data_loader;
pub mod database;
pub mod error;
pub mod federation;
pub mod identity;
pub mod peers;
pub mod pulse;
pub mod redis;
pub mod request_id;
pub mod runtime;
pub mod server;
pub mod service;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use batch::{Batcher, Batching};
pub use caller::{
    Caller, ClientAddress, caller, client_address, require_scope, require_service, require_user,
};
pub use client::{CallError, Repeat, ServiceClient};
pub use clock::Clock;
pub use error::{ApiError, StartError};
pub use peers::Peers;
pub use redis::Redis;
pub use runtime::Runtime;
pub use server::{GraphqlServer, Readiness};
pub use service::{Service, Tasks};
