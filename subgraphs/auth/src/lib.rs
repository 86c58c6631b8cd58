//! The auth subgraph: accounts, sign-in, tokens.
//!
//! - [`config`]: the `auth` section of the configuration
//! - [`schema`]: the GraphQL side
//! - [`account`]: the account rules; [`sign_up`], [`sign_in`], [`password_change`], [`profile`], [`grants`], [`outside_sign_in`]: one story each
//! - [`email`], [`password`]: what an address and a password are, and how passwords are kept
//! - [`one_time_code`], [`mail`]: codes, and how they reach people
//! - [`access`]: roles and scopes
//! - [`access_token`]: what proves a user to the router; [`signing_key`]: the keys behind it, their rotation, and the JWKS
//! - [`session`]: a signed-in device; [`refresh_token`]: its chain of refresh tokens; [`revocation`]: how the router learns of its end
//! - [`oidc`]: outside OpenID Connect providers
//! - [`rate_limit`]: how often what may be tried; [`audit`]: what happened
//! - [`secret_key`]: keys of keyed hashes
//! - [`store`]: accounts in Postgres; [`user_loader`]: many accounts in one statement; [`housekeeping`]: removes old rows
//! - [`demo`]: accounts of a demonstration

use std::time::Duration;

use axum::{Json, http::header, response::IntoResponse, routing::get};
use fondaco_chassis::{
    Clock, GraphqlServer, Readiness, Redis, Runtime, Service, StartError, Tasks, database,
    federation::sdl as federation_sdl,
};
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    access_token::AccessTokens,
    account::Accounts,
    audit::AuditLog,
    email::Email,
    mail::Mailer,
    oidc::Providers,
    one_time_code::OneTimeCodes,
    outside_sign_in::OutsideSignIn,
    password::Passwords,
    rate_limit::RateLimits,
    revocation::Revocations,
    secret_key::{Purpose, SecretKey},
    session::Sessions,
    signing_key::SigningKeys,
    store::Store,
    user_loader::UserLoader,
};

pub mod access;
pub mod access_token;
pub mod account;
pub mod audit;
pub mod config;
pub mod demo;
pub mod email;
pub mod grants;
pub mod housekeeping;
pub mod mail;
pub mod oidc;
pub mod one_time_code;
pub mod outside_sign_in;
pub mod password;
pub mod password_change;
pub mod profile;
pub mod rate_limit;
pub mod refresh_token;
pub mod revocation;
pub mod schema;
pub mod secret_key;
pub mod session;
pub mod sign_in;
pub mod sign_up;
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

/// Opens the database and Redis, readies the keys, makes configured accounts, starts the background tasks, and builds the router.
pub async fn start(config: &AuthConfig, runtime: &Runtime) -> Result<Service, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    let redis = Redis::connect(runtime).await?;
    let keys = SigningKeys::load_or_create(&pool).await.map_err(data_error)?;
    let tasks = Tasks::new(runtime);
    let accounts = accounts(config, &pool, &redis, (keys.clone(), runtime.clock()), &tasks).await?;
    make_configured_accounts(config, &accounts).await?;
    let providers = Providers::new(redis.clone(), &config.oidc).map_err(other_error)?;
    start_tasks(config, &pool, &accounts, &keys, &tasks);

    let store = accounts.store.clone();
    let outside = OutsideSignIn::new(accounts.clone(), providers);
    let schema = schema::builder().data(accounts).data(outside).finish();
    let router = GraphqlServer::new(runtime, &tasks, NAME, schema)
        .readiness(Readiness::default().database(pool).redis(redis))
        .request_data(move |request| request.data(UserLoader::new(store.clone())))
        .into_router()
        .route("/.well-known/jwks.json", get(async move || public_keys(&keys)));
    Ok(Service {
        name: NAME,
        router,
        tasks,
    })
}

/// The signing keys alone, for commands: opens the database as a starting service does.
pub async fn open_signing_keys(runtime: &Runtime) -> Result<SigningKeys, StartError> {
    let pool = database::open(runtime, NAME, &MIGRATIONS).await?;
    SigningKeys::load_or_create(&pool).await.map_err(data_error)
}

/// The account rules over their parts.
async fn accounts(
    config: &AuthConfig,
    pool: &PgPool,
    redis: &Redis,
    (keys, clock): (SigningKeys, Clock),
    tasks: &Tasks,
) -> Result<Accounts, StartError> {
    let key = async |purpose| SecretKey::load_or_create(pool, purpose).await.map_err(data_error);
    let passwords = Passwords::new(&config.password, config.min_password_chars()).await;
    let first_admin = config
        .first_admin
        .as_ref()
        .map(|admin| Email::parse(&admin.email));
    let sessions = Sessions::new(
        pool.clone(),
        key(Purpose::RefreshTokens).await?,
        config.refresh_token_lifetime(),
        config.refresh_grace(),
        Revocations::new(pool.clone(), redis.clone()),
    );
    Ok(Accounts {
        store: Store::new(pool.clone()),
        passwords: passwords.map_err(|error| other_error(format!("auth.password: {error}")))?,
        sessions,
        access_tokens: AccessTokens::new(keys, clock),
        codes: OneTimeCodes::new(pool.clone(), key(Purpose::OneTimeCodes).await?),
        mailer: Mailer::new(&config.mail, tasks.clone()).map_err(other_error)?,
        limits: RateLimits::new(redis.clone(), config.rate_limits, config.demo),
        audit: AuditLog::new(pool.clone()),
        verification: config.verification(),
        first_admin: first_admin
            .transpose()
            .map_err(|error| other_error(format!("auth.first_admin.email: {error}")))?,
    })
}

async fn make_configured_accounts(config: &AuthConfig, accounts: &Accounts) -> Result<(), StartError> {
    if config.demo {
        demo::seed(&accounts.store, &accounts.passwords)
            .await
            .map_err(|error| other_error(format!("demo accounts: {error}")))?;
    }
    if let (Some(email), Some(admin)) = (&accounts.first_admin, &config.first_admin) {
        let password = admin.password.as_ref().map(config::Secret::expose);
        sign_up::make_first_admin(accounts, email, password)
            .await
            .map_err(|error| other_error(format!("auth.first_admin: {error}")))?;
    }
    Ok(())
}

fn start_tasks(config: &AuthConfig, pool: &PgPool, accounts: &Accounts, keys: &SigningKeys, tasks: &Tasks) {
    let max_key_age = Duration::from_secs(u64::from(config.key_rotation_days.max(1)) * 24 * 60 * 60);
    let (revocations, keys) = (accounts.sessions.revocations.clone(), keys.clone());
    let (pool, audit_days) = (pool.clone(), config.audit_days);
    tasks.spawn("auth.revocation", |stop| revocations.run(stop));
    tasks.spawn("auth.signing-keys", move |stop| keys.run(max_key_age, stop));
    tasks.spawn("auth.housekeeping", move |stop| {
        housekeeping::run(pool, audit_days, stop)
    });
}

fn public_keys(keys: &SigningKeys) -> impl IntoResponse + use<> {
    (
        [(header::CACHE_CONTROL, "public, max-age=300")],
        Json(keys.jwks()),
    )
}

fn data_error(source: sqlx::Error) -> StartError {
    StartError::Data {
        service: NAME,
        source,
    }
}

fn other_error(problem: impl ToString) -> StartError {
    StartError::Other {
        service: NAME,
        message: problem.to_string(),
    }
}
