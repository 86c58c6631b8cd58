//! Outside OpenID Connect providers: authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700).
//!
//! What a flow needs later stays here, in Redis, for ten minutes and one use: the nonce, the PKCE verifier, and the hash of a secret that only
//! the client that began has. The redirect URL is configured and never taken from a client.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fondaco_chassis::{ApiError, Redis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use provider::{InvalidProvider, OutsideUser, Provider, ProviderError};

use crate::config::OidcProviderConfig;

mod provider;

const FLOW_SECONDS: u64 = 600;
/// States and secrets of ours are shorter.
const MAX_TEXT: usize = 256;

/// What a client needs to send its person to the provider.
#[derive(Debug)]
pub struct BegunFlow {
    /// Where to send the person.
    pub authorization_url: String,
    /// Comes back from the provider beside the code.
    pub state: String,
    /// Shown by the client when it completes the flow: another browser has another.
    pub flow_secret: String,
}

/// What the client brings back.
#[derive(Debug)]
pub struct Answer {
    /// `code` of the redirect.
    pub code: String,
    /// `state` of the redirect.
    pub state: String,
    /// [`BegunFlow::flow_secret`].
    pub flow_secret: String,
    /// `iss` of the redirect, where the provider sends it (RFC 9207).
    pub issuer: Option<String>,
}

/// Kept between the two halves of a flow.
#[derive(Serialize, Deserialize)]
struct Flow {
    provider: String,
    nonce: String,
    pkce_verifier: String,
    secret_hash: String,
}

/// Why a flow did not prove anybody.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// State unknown, old, used, or of another client.
    #[error("no such flow")]
    UnknownFlow,
    /// The redirect came from another issuer.
    #[error("the answer is from another issuer")]
    OtherIssuer,
    /// The provider, or what it said, cannot be trusted.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Redis does not answer.
    #[error(transparent)]
    Fault(#[from] ApiError),
}

/// All providers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Providers {
    redis: Redis,
    by_name: Arc<BTreeMap<String, Provider>>,
}

impl Providers {
    /// The configured providers; none of them is called yet.
    pub fn new(redis: Redis, config: &BTreeMap<String, OidcProviderConfig>) -> Result<Self, InvalidProvider> {
        let provider = |(name, config): (&String, _)| Ok((name.clone(), Provider::new(name, config)?));
        Ok(Self {
            redis,
            by_name: Arc::new(config.iter().map(provider).collect::<Result<_, _>>()?),
        })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Begins a flow; `None` where there is no such provider.
    pub async fn begin(&self, name: &str) -> Result<Option<BegunFlow>, FlowError> {
        let Some(provider) = self.by_name.get(name) else {
            return Ok(None);
        };
        let redirect = provider.authorize().await?;
        let flow_secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let flow = Flow {
            provider: name.to_owned(),
            nonce: redirect.nonce,
            pkce_verifier: redirect.pkce_verifier,
            secret_hash: hash(&flow_secret),
        };
        self.keep(&redirect.state, &flow).await?;
        Ok(Some(BegunFlow {
            authorization_url: redirect.url,
            state: redirect.state,
            flow_secret,
        }))
    }

    /// Completes a flow: gives the provider's name and whom it proves. Whatever comes of it, the flow is over.
    pub async fn complete(&self, answer: Answer) -> Result<(String, OutsideUser), FlowError> {
        let flow = self.take(&answer.state).await?.ok_or(FlowError::UnknownFlow)?;
        if answer.flow_secret.len() > MAX_TEXT || hash(&answer.flow_secret) != flow.secret_hash {
            return Err(FlowError::UnknownFlow);
        }
        let provider = self.by_name.get(&flow.provider).ok_or(FlowError::UnknownFlow)?;
        if answer.issuer.is_some_and(|issuer| issuer != provider.issuer()) {
            return Err(FlowError::OtherIssuer);
        }
        let user = provider
            .redeem(answer.code, flow.pkce_verifier, flow.nonce)
            .await?;
        Ok((flow.provider, user))
    }

    async fn keep(&self, state: &str, flow: &Flow) -> Result<(), ApiError> {
        let flow = serde_json::to_string(flow).map_err(ApiError::internal)?;
        let () = redis::cmd("SET")
            .arg(self.key(state))
            .arg(flow)
            .arg("EX")
            .arg(FLOW_SECONDS)
            .query_async(&mut self.redis.connection())
            .await?;
        Ok(())
    }

    /// Gives the flow once.
    async fn take(&self, state: &str) -> Result<Option<Flow>, ApiError> {
        if state.len() > MAX_TEXT {
            return Ok(None);
        }
        let flow: Option<String> = redis::cmd("GETDEL")
            .arg(self.key(state))
            .query_async(&mut self.redis.connection())
            .await?;
        flow.map(|flow| serde_json::from_str(&flow).map_err(ApiError::internal))
            .transpose()
    }

    fn key(&self, state: &str) -> String {
        self.redis.key(format_args!("auth:oidc:{}", hash(state)))
    }
}

fn hash(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}
