//! Faults. Resolvers return [`ApiError`]; it becomes `extensions.code` here and nowhere else, and internals stay inside.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use async_graphql::ErrorExtensions;

use crate::{client::CallError, config::ConfigError, database::DatabaseError, redis::RedisError};

/// Why a field has no answer. What a user can put right is a `UserError` in the payload instead.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody has signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("not allowed")]
    Forbidden,
    /// An argument is unusable; the message goes to the caller.
    #[error("{0}")]
    BadUserInput(String),
    /// Too many attempts of one kind.
    #[error("too many attempts, try again later")]
    RateLimited {
        /// When the next attempt is allowed; whole seconds of it go to the caller as `extensions.retryAfter`.
        retry_after: Duration,
    },
    /// Something this service needs does not answer; trying again may help.
    #[error("temporarily unavailable, try again")]
    TemporarilyUnavailable(#[source] Arc<dyn StdError + Send + Sync>),
    /// A defect or a broken invariant; the cause is logged and masked.
    #[error("internal server error")]
    Internal(#[source] Arc<dyn StdError + Send + Sync>),
}

impl ApiError {
    /// A dependency failed in a way that passes.
    pub fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::TemporarilyUnavailable(Arc::from(cause.into()))
    }

    /// Something that must not happen did.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// The value of `extensions.code`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput(_) => "BAD_USER_INPUT",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::TemporarilyUnavailable(_) => "TEMPORARILY_UNAVAILABLE",
            Self::Internal(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The cause, with its own causes, for logs.
    fn log(&self) {
        match self {
            Self::Unauthenticated | Self::Forbidden | Self::BadUserInput(_) | Self::RateLimited { .. } => {}
            Self::TemporarilyUnavailable(cause) => {
                tracing::warn!(error.code = self.code(), error.cause = %chain(&**cause), "dependency failed");
            }
            Self::Internal(cause) => {
                tracing::error!(error.code = self.code(), error.cause = %chain(&**cause), "internal error");
            }
        }
    }
}

/// An error and its causes in one line.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<ApiError> for async_graphql::Error {
    /// The edge: logged once, masked outward.
    fn from(error: ApiError) -> Self {
        error.log();
        Self::new(error.to_string()).extend_with(|_, extensions| {
            extensions.set("code", error.code());
            if let ApiError::RateLimited { retry_after } = &error {
                extensions.set("retryAfter", retry_after.as_millis().div_ceil(1000) as u64);
            }
        })
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if passes(&error) {
            Self::unavailable(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<::redis::RedisError> for ApiError {
    fn from(error: ::redis::RedisError) -> Self {
        let is_defect = matches!(
            error.kind(),
            ::redis::ErrorKind::UnexpectedReturnType | ::redis::ErrorKind::Parse
        );
        if is_defect {
            Self::internal(error)
        } else {
            Self::unavailable(error)
        }
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        if error.is_retryable() {
            Self::unavailable(error)
        } else {
            Self::internal(error)
        }
    }
}

/// May the same statement succeed a moment later? By the classes of SQLSTATE, and for lost connections.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection, serialization or deadlock, resources, operator intervention, system.
            ["08", "40", "53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration is unusable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its database cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Redis cannot be reached.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// A statement failed while it prepared itself.
    #[error("the {service} service cannot prepare its data: {source}")]
    Data {
        /// The service.
        service: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// Anything else.
    #[error("the {service} service cannot start: {message}")]
    Other {
        /// The service.
        service: &'static str,
        /// Why.
        message: String,
    },
    /// Its address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why: taken, not ours, not allowed.
        source: std::io::Error,
    },
}
