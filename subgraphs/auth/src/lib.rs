//! The auth subgraph: accounts, sign-in, tokens.
//!
//! - [`config`]: the `auth` section of the configuration
//! - [`schema`]: the GraphQL side
//! - [`account`]: sign-up and sign-in
//! - [`email`], [`password`]: what an address and a password are, and how passwords are kept
//! - [`access_token`]: what proves a user to the router; [`signing_key`]: the keys behind it, and the JWKS
//! - [`session`]: a signed-in device and its chain of refresh tokens
//! - [`store`]: accounts in Postgres; [`user_loader`]: many accounts in one statement
//! - [`demo`]: accounts of a demonstration

use axum::{Json, http::header, response::IntoResponse, routing::get};
use fondaco_chassis::{
    GraphqlServer, Readiness, Runtime, Service, StartError, Tasks, database,
    federation::sdl as federation_sdl,
};
use sqlx::migrate::Migrator;

use crate::{
    access_token::AccessTokens, account::Accounts, password::Passwords, session::Sessions,
    signing_key::SigningKeys, store::Store, user_loader::UserLoader,
};

pub mod access_token;
pub mod account;
pub mod config;
pub mod demo;
pub mod email;
pub mod password;
pub mod schema;
pub mod session;
pub mod signing_key;
pub mod store;
pub mod user_loader;

pub use config::AuthConfig;

/// The subgraph's name.
pub const NAME: &str = "auth";

static MIGRATIONS: Migrator = sqlx::migrate!();

/// The schema this subgraph publishes, in the Federation 2 schema language.
pub fn sdl() -> String {
    federation_sdl(&schema::builder().finish())
}

/// Opens the database, readies the signing key, and builds the router.
pub async fn start(config: &AuthConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let keys = SigningKeys::load_or_create(&pool).await.map_err(data_error)?;
    let jwks = keys.jwks();
    let passwords = Passwords::new(&config.password)
        .await
        .map_err(|error| StartError::Other {
            service: NAME,
            message: format!("auth.password: {error}"),
        })?;
    let store = Store::new(pool.clone());
    if config.demo {
        demo::seed(&store, &passwords)
            .await
            .map_err(|error| StartError::Other {
                service: NAME,
                message: format!("demo accounts: {error}"),
            })?;
    }

    let tasks = Tasks::new(runtime);
    let sessions = Sessions::new(pool.clone(), config.refresh_token_lifetime());
    let accounts = Accounts::new(store.clone(), passwords, sessions, AccessTokens::new(keys));
    let schema = schema::builder().data(accounts).finish();
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool))
        .request_data(move |request| request.data(UserLoader::new(store.clone())))
        .into_router()
        .route("/.well-known/jwks.json", get(async move || public_keys(&jwks)));
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}

fn public_keys(jwks: &serde_json::Value) -> impl IntoResponse + use<> {
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(jwks.clone()),
    )
}

fn data_error(source: sqlx::Error) -> StartError {
    StartError::Data {
        service: NAME,
        source,
    }
}
