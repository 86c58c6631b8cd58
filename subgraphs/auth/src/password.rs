//! Passwords: which are acceptable, and Argon2id hashes of them, computed a few at a time on threads of their own.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use fondaco_chassis::ApiError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

use crate::config::PasswordConfig;

const MIN_CHARS: usize = 8;
const MAX_CHARS: usize = 256;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// The password is shorter than 8 or longer than 256 characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a password has 8 to 256 characters")]
pub struct UnacceptablePassword;

/// By current NIST advice there are no rules but length.
pub fn check_acceptable(password: &str) -> Result<(), UnacceptablePassword> {
    let acceptable = (MIN_CHARS..=MAX_CHARS).contains(&password.chars().count());
    if acceptable {
        Ok(())
    } else {
        Err(UnacceptablePassword)
    }
}

/// Hashes and verifies passwords. Cheap to clone; clones share the bound.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Verified against when there is no account, so that both answers take the same time.
    decoy: Arc<str>,
}

/// The hash could not be computed or read.
#[derive(Debug, thiserror::Error)]
#[error("password hashing failed: {0}")]
pub struct HashError(String);

impl Passwords {
    /// A hasher of the configured cost.
    pub async fn new(config: &PasswordConfig) -> Result<Self, HashError> {
        let params = Params::new(config.memory_kib, config.iterations, config.parallelism, None)
            .map_err(|error| HashError(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let concurrent = config.max_concurrent.unwrap_or_else(cpus).clamp(1, 1024);
        let decoy = {
            let argon2 = argon2.clone();
            blocking(move || hash(&argon2, "nobody's password")).await?
        };
        Ok(Self {
            argon2,
            permits: Arc::new(Semaphore::new(concurrent)),
            decoy: decoy.into(),
        })
    }

    /// The PHC string of `password` under a fresh salt.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        let permit = self.admit().await?;
        let argon2 = self.argon2.clone();
        let hashed = blocking(move || {
            let hashed = hash(&argon2, &password);
            drop(permit);
            hashed
        });
        hashed.await.map_err(ApiError::internal)
    }

    /// Is `password` the one behind `stored`? Takes as long when there is none.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, ApiError> {
        let permit = self.admit().await?;
        let argon2 = self.argon2.clone();
        let is_known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        let verified = blocking(move || {
            let verified = matches(&argon2, &password, &stored);
            drop(permit);
            verified
        });
        let matches = verified.await.map_err(ApiError::internal)?;
        Ok(matches && is_known)
    }

    /// Waits for its turn, but not for ever.
    async fn admit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = Arc::clone(&self.permits).acquire_owned();
        let permit = timeout(QUEUE_TIMEOUT, turn)
            .await
            .map_err(|_| ApiError::unavailable("too many passwords are being hashed"))?;
        permit.map_err(ApiError::internal)
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, HashError> {
    let hash: PasswordHash = argon2
        .hash_password(password.as_bytes())
        .map_err(|error| HashError(error.to_string()))?;
    Ok(hash.to_string())
}

fn matches(argon2: &Argon2<'_>, password: &str, stored: &str) -> Result<bool, HashError> {
    let stored = PasswordHash::new(stored).map_err(|error| HashError(error.to_string()))?;
    match argon2.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(HashError(error.to_string())),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(HashError(panic.to_string())))
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(2, Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> PasswordConfig {
        PasswordConfig {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
            max_concurrent: Some(2),
        }
    }

    #[test]
    fn only_length_matters() {
        let check = |password: &str, ok: bool| assert_eq!(check_acceptable(password).is_ok(), ok);
        check("1234567", false);
        check("12345678", true);
        check("ééééééé", false);
        check("éééééééé", true);
        check(&"x".repeat(256), true);
        check(&"x".repeat(257), false);
    }

    #[tokio::test]
    async fn hashes_verify_and_differ() {
        let passwords = Passwords::new(&cheap()).await.unwrap();
        let first = passwords.hash("correct horse".into()).await.unwrap();
        let second = passwords.hash("correct horse".into()).await.unwrap();
        assert_ne!(first, second);
        assert!(first.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{first}");
        assert!(
            passwords
                .verify("correct horse".into(), Some(first.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("wrong horse".into(), Some(first)).await.unwrap());
        assert!(!passwords.verify("nobody's password".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn an_impossible_cost_is_refused() {
        let config = PasswordConfig {
            memory_kib: 1,
            ..cheap()
        };
        assert!(Passwords::new(&config).await.is_err());
    }
}
