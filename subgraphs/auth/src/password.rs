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

const MAX_CHARS: usize = 256;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);
/// A password that a guesser reaches within this many guesses counts as common: lists of passwords, names and words, keyboard rows,
/// repetitions, dates, and combinations of few of them.
const COMMON_GUESSES: u64 = 1_000_000;

/// Why a password is not accepted. There are no rules of composition: NIST SP 800-63B-4, section 3.1.1.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnacceptablePassword {
    /// Shorter than configured, or longer than 256 characters.
    #[error("a password has {min} to 256 characters")]
    Length {
        /// The fewest characters.
        min: usize,
    },
    /// Among the first that are tried.
    #[error("this password is too common or too close to the account's name or address: it would be guessed")]
    Common,
}

/// Hashes and verifies passwords. Cheap to clone; clones share the bound.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    min_chars: usize,
    /// Verified against when there is no account, so that both answers take the same time.
    decoy: Arc<str>,
}

/// The hash could not be computed or read.
#[derive(Debug, thiserror::Error)]
#[error("password hashing failed: {0}")]
pub struct HashError(String);

impl Passwords {
    /// A hasher of the configured cost.
    pub async fn new(config: &PasswordConfig, min_chars: usize) -> Result<Self, HashError> {
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
            min_chars,
            decoy: decoy.into(),
        })
    }

    /// May `password` be chosen by a person of this name and address?
    pub async fn check(
        &self,
        password: &str,
        about: Vec<String>,
    ) -> Result<Result<(), UnacceptablePassword>, ApiError> {
        if !(self.min_chars..=MAX_CHARS).contains(&password.chars().count()) {
            return Ok(Err(UnacceptablePassword::Length { min: self.min_chars }));
        }
        let permit = self.admit().await?;
        let password = password.to_owned();
        let common = blocking(move || {
            let common = is_common(&password, &about);
            drop(permit);
            Ok(common)
        });
        let is_common = common.await.map_err(ApiError::internal)?;
        Ok(if is_common {
            Err(UnacceptablePassword::Common)
        } else {
            Ok(())
        })
    }

    /// Could this be anybody's password? What is longer is not worth hashing.
    pub fn is_possible(password: &str) -> bool {
        !password.is_empty() && password.len() <= 4 * MAX_CHARS && password.chars().count() <= MAX_CHARS
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

/// `about` is what an attacker would try first: the address, the name, and ours.
fn is_common(password: &str, about: &[String]) -> bool {
    let about: Vec<&str> = about.iter().map(String::as_str).chain(["fondaco"]).collect();
    zxcvbn::zxcvbn(password, &about).guesses() < COMMON_GUESSES
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
            ..PasswordConfig::default()
        }
    }

    #[tokio::test]
    async fn length_and_commonness_matter_and_nothing_else() {
        let passwords = Passwords::new(&cheap(), 8).await.unwrap();
        let check = async |password: &str, expected: Result<(), UnacceptablePassword>| {
            let about = vec!["ada.lovelace".to_owned(), "Ada Lovelace".to_owned()];
            let checked = passwords.check(password, about).await.unwrap();
            assert_eq!(checked, expected, "{password}");
        };
        let length = Err(UnacceptablePassword::Length { min: 8 });
        check("xk3jw9q", length).await;
        let longest: String = ('!'..='~').cycle().step_by(7).take(256).collect();
        check(&longest, Ok(())).await;
        check(&format!("{longest}x"), length).await;
        for common in [
            "password",
            "Password1",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "abcdefgh",
            "ada.lovelace",
            "fondaco1",
            "iloveyou1",
        ] {
            check(common, Err(UnacceptablePassword::Common)).await;
        }
        for fine in ["correct horse", "xk3jw9qz", "éøßüñçåé", "all lower case and long"] {
            check(fine, Ok(())).await;
        }
    }

    #[tokio::test]
    async fn hashes_verify_and_differ() {
        let passwords = Passwords::new(&cheap(), 8).await.unwrap();
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
        assert!(Passwords::new(&config, 8).await.is_err());
    }
}
