//! Access tokens: short-lived JWTs, signed with Ed25519, by which a client proves its user to the router.

use fondaco_chassis::{ApiError, Clock};
use fondaco_contracts::{SessionId, UserId};
use jsonwebtoken::{Algorithm, Header, encode};
use serde::{Deserialize, Serialize};

use crate::{access, signing_key::SigningKeys, store::Account};

/// How long an access token is valid, in seconds.
pub const LIFETIME_SECONDS: u64 = 3600;

/// `typ` of the header (RFC 9068, section 2.1): no other kind of token passes for one of these.
const TYPE: &str = "at+jwt";
const ISSUER: &str = "fondaco";
const AUDIENCE: &str = "fondaco";

/// The claims; ARCHITECTURE.md, "Caller identity".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessClaims {
    /// `fondaco`
    pub iss: String,
    /// `fondaco`
    pub aud: String,
    /// `access`: no other token passes for one.
    pub token_use: String,
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// The user's roles.
    pub roles: Vec<String>,
    /// Space-separated scopes.
    pub scope: String,
    /// Unix seconds.
    pub iat: u64,
    /// Unix seconds, an hour after `iat`.
    pub exp: u64,
}

/// Issues access tokens.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    keys: SigningKeys,
    clock: Clock,
}

impl AccessTokens {
    /// An issuer that signs with the active key of `keys`, whichever that is at the time; dated by `clock`.
    pub fn new(keys: SigningKeys, clock: Clock) -> Self {
        Self { keys, clock }
    }

    /// A token for `account`, signed in as `session`.
    pub fn issue(&self, account: &Account, session: SessionId) -> Result<String, ApiError> {
        let iat = self.clock.seconds();
        let claims = AccessClaims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            token_use: "access".to_owned(),
            sub: account.id,
            sid: session,
            roles: account.roles.clone(),
            scope: access::effective_scopes(account).join(" "),
            iat,
            exp: iat + LIFETIME_SECONDS,
        };
        self.keys.sign_with(|kid, key| {
            let mut header = Header::new(Algorithm::EdDSA);
            header.kid = Some(kid.to_owned());
            header.typ = Some(TYPE.to_owned());
            encode(&header, &claims, key).map_err(ApiError::internal)
        })
    }
}
