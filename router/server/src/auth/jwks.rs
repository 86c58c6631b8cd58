//! The public keys of an issuer (RFC 7517): fetched, kept through outages, fetched again when a token names a new one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::config::IssuerConfig;
use crate::outbound;

/// Where keys come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// An HTTP address.
    Url(String),
    /// A file.
    File(std::path::PathBuf),
}

/// One key and the only algorithms it may be used with.
pub struct VerificationKey {
    /// The key.
    pub key: DecodingKey,
    /// Algorithms of the key's own kind: what a token's header says cannot widen them.
    pub algorithms: Vec<Algorithm>,
}

/// Keys by their id, as they were fetched.
#[derive(Default)]
pub struct Keys {
    by_id: FxHashMap<String, Arc<VerificationKey>>,
    /// The key a token without `kid` is checked against: the only one there is.
    only: Option<Arc<VerificationKey>>,
    /// Counts changes, so that tokens verified under other keys are verified again.
    pub generation: u64,
    text: Vec<u8>,
}

impl Keys {
    fn is_empty(&self) -> bool {
        self.by_id.is_empty() && self.only.is_none()
    }

    fn find(&self, id: Option<&str>) -> Option<Arc<VerificationKey>> {
        match id {
            Some(id) => self.by_id.get(id).cloned(),
            None => self.only.clone(),
        }
    }
}

/// The keys of one issuer.
pub struct KeySet {
    source: KeySource,
    min_refresh: Duration,
    max_age: Duration,
    http: reqwest::Client,
    keys: ArcSwap<Keys>,
    refresh: Mutex<Refresh>,
    /// Counts finished fetches, for those who wait for one.
    finished: watch::Sender<u64>,
}

#[derive(Default)]
struct Refresh {
    running: bool,
    not_before: Option<Instant>,
    fetched_at: Option<Instant>,
}

/// How long a fetch of keys may take.
const LONGEST_FETCH: Duration = Duration::from_secs(5);
/// How long a request waits for keys that are being fetched.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// Time before a failed fetch is tried again while no key is known at all.
const RETRY: Duration = Duration::from_secs(1);
/// Largest key set accepted, in bytes.
const LARGEST_SET: usize = 1024 * 1024;

impl KeySet {
    /// Keys of the configured issuer; nothing is fetched yet.
    pub fn new(config: &IssuerConfig) -> Arc<Self> {
        let source = match (&config.jwks_url, &config.jwks_file) {
            (Some(url), _) => KeySource::Url(url.clone()),
            (None, Some(file)) => KeySource::File(file.clone()),
            (None, None) => KeySource::File(std::path::PathBuf::new()),
        };
        Arc::new(Self {
            source,
            min_refresh: Duration::from_secs(config.min_refresh_seconds),
            max_age: Duration::from_secs(config.max_age_seconds),
            http: outbound::client(LONGEST_FETCH),
            keys: ArcSwap::default(),
            refresh: Mutex::default(),
            finished: watch::Sender::new(0),
        })
    }

    /// The keys as they are now.
    pub fn current(&self) -> arc_swap::Guard<Arc<Keys>> {
        self.keys.load()
    }

    /// The key of that id. An unknown id has the keys fetched, unless they just were, and waits for them a little.
    pub async fn find(self: &Arc<Self>, id: Option<&str>) -> Option<Arc<VerificationKey>> {
        if let Some(key) = self.current().find(id) {
            self.refresh_when_old();
            return Some(key);
        }
        let mut finished = self.finished.subscribe();
        if !self.start_refresh() {
            return None;
        }
        // A timeout and a closed channel mean the same here: look at what there is.
        let _ = tokio::time::timeout(LONGEST_WAIT, finished.changed()).await;
        self.current().find(id)
    }

    /// Has keys past their age fetched in the background; the old ones stay in use meanwhile, and after a failure.
    fn refresh_when_old(self: &Arc<Self>) {
        let old = self
            .lock()
            .fetched_at
            .is_none_or(|at| at.elapsed() > self.max_age);
        if old {
            self.start_refresh();
        }
    }

    /// Starts a fetch unless one is running. False where the last one is too recent for another.
    pub fn start_refresh(self: &Arc<Self>) -> bool {
        let mut refresh = self.lock();
        if refresh.running {
            return true;
        }
        if refresh.not_before.is_some_and(|instant| Instant::now() < instant) {
            return false;
        }
        refresh.running = true;
        drop(refresh);
        let this = Arc::clone(self);
        tokio::spawn(async move { this.refresh().await });
        true
    }

    async fn refresh(&self) {
        let fetched = self.fetch().await.and_then(|text| self.replace(text));
        let mut refresh = self.lock();
        refresh.running = false;
        match fetched {
            Ok(()) => {
                refresh.fetched_at = Some(Instant::now());
                refresh.not_before = Some(Instant::now() + self.min_refresh);
            }
            Err(error) => {
                let pause = match self.current().is_empty() {
                    true => RETRY.min(self.min_refresh),
                    false => self.min_refresh,
                };
                refresh.not_before = Some(Instant::now() + pause);
                tracing::warn!(jwks.source = ?self.source, error = %error, "signing keys could not be fetched; the known ones stay in use");
            }
        }
        drop(refresh);
        self.finished.send_modify(|count| *count += 1);
    }

    async fn fetch(&self) -> Result<Vec<u8>, JwksError> {
        let text = match &self.source {
            KeySource::File(path) => tokio::fs::read(path)
                .await
                .map_err(|error| JwksError::Read(error.to_string()))?,
            KeySource::Url(url) => self
                .download(url)
                .await
                .map_err(|error| JwksError::Read(error.to_string()))?,
        };
        if text.len() > LARGEST_SET {
            Err(JwksError::TooLarge)
        } else {
            Ok(text)
        }
    }

    async fn download(&self, url: &str) -> Result<Vec<u8>, reqwest::Error> {
        outbound::body(self.http.get(url).send().await?, LARGEST_SET).await
    }

    fn replace(&self, text: Vec<u8>) -> Result<(), JwksError> {
        let current = self.current();
        if current.text == text {
            return Ok(());
        }
        let symmetric_allowed = matches!(self.source, KeySource::File(_));
        let keys = read_keys(text, symmetric_allowed, current.generation + 1)?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Refresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
enum JwksError {
    #[error("{0}")]
    Read(String),
    #[error("the key set is larger than {LARGEST_SET} bytes")]
    TooLarge,
    #[error("not a JSON Web Key Set: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("the key set has no key that can verify signatures")]
    Empty,
}

/// As much of a key set as must be there (RFC 7517, section 5).
#[derive(Deserialize)]
struct PublishedKeys {
    keys: Vec<Value>,
}

/// Keys of a kind not known here, or without what a key needs, are passed over (RFC 7517, section 5): an issuer may publish keys for other
/// purposes, and those of tomorrow.
fn read_keys(text: Vec<u8>, symmetric_allowed: bool, generation: u64) -> Result<Keys, JwksError> {
    let set: PublishedKeys = serde_json::from_slice(&text)?;
    let mut keys = Keys {
        generation,
        text,
        ..Keys::default()
    };
    let mut all = Vec::new();
    for jwk in set.keys {
        let Ok(jwk) = serde_json::from_value::<Jwk>(jwk) else {
            continue;
        };
        let Some(key) = verification_key(&jwk, symmetric_allowed) else {
            continue;
        };
        let key = Arc::new(key);
        all.push(Arc::clone(&key));
        if let Some(id) = jwk.common.key_id {
            keys.by_id.insert(id, key);
        }
    }
    match all.len() {
        0 => return Err(JwksError::Empty),
        1 => keys.only = all.pop(),
        _ => {}
    }
    Ok(keys)
}

fn verification_key(jwk: &Jwk, symmetric_allowed: bool) -> Option<VerificationKey> {
    let for_signatures = jwk
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let symmetric = matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_));
    if !for_signatures || (symmetric && !symmetric_allowed) {
        return None;
    }
    let possible = algorithms_of_kind(&jwk.algorithm);
    let algorithms = match jwk.common.key_algorithm {
        Some(named) => {
            let named = named.to_string().parse().ok()?;
            possible.contains(&named).then(|| vec![named])?
        }
        None if symmetric => return None,
        None => possible.to_vec(),
    };
    Some(VerificationKey {
        key: DecodingKey::from_jwk(jwk).ok()?,
        algorithms,
    })
}

fn algorithms_of_kind(parameters: &AlgorithmParameters) -> &'static [Algorithm] {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    match parameters {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        AlgorithmParameters::OctetKey(_) => &[HS256, HS384, HS512],
        _ => &[],
    }
}
