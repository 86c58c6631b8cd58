//! Signs and verifies the `fondaco-caller` header: a short-lived JWT under a secret of router and subgraphs, one for all or one each.

use std::{collections::BTreeMap, fmt, net::IpAddr, sync::Arc};

use fondaco_contracts::{SessionId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::{caller::Caller, clock::Clock, config::ConfigError};

/// The header that tells a subgraph who calls.
pub const CALLER_HEADER: &str = "fondaco-caller";

/// What [`CallerClaims::iss`] says when the router passes on a client's request.
pub const ROUTER: &str = "router";

const LIFETIME_SECONDS: u64 = 10;
const CLOCK_SKEW_SECONDS: u64 = 5;

/// The claims of the `fondaco-caller` JWT; ARCHITECTURE.md, "Caller identity".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallerClaims {
    /// `router`, or the calling service.
    pub iss: String,
    /// The subgraph that is called.
    pub aud: String,
    /// Unix seconds.
    pub iat: u64,
    /// Unix seconds, at most 10 after `iat`.
    pub exp: u64,
    /// The HTTP method the call is bound to: `POST`.
    pub htm: String,
    /// The path the call is bound to: `/graphql`.
    pub htu: String,
    /// The user, if one is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<UserId>,
    /// The user's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The user's roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Space-separated scopes.
    #[serde(default)]
    pub scope: String,
    /// The client's address as the router sees it; absent in a service's own calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addr: Option<IpAddr>,
}

/// The header is present but proves nothing. The cause is for logs, not for callers.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCaller {
    /// Not a JWT, or not signed by our secret, expired, or for another audience.
    #[error("the caller token is invalid: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// Properly signed for this call, and of another time: replayed, or the clocks of caller and service differ.
    #[error("the caller's clock and this service's differ, or the call is old: it was signed {} s {}", .0.unsigned_abs(), if *.0 < 0 { "ahead" } else { "ago" })]
    Clock(i64),
    /// For longer than 10 s.
    #[error("the caller token's lifetime is out of bounds")]
    Lifetime,
    /// For another method or path.
    #[error("the caller token is bound to another call")]
    Binding,
    /// More than one header, or bytes that are not ASCII.
    #[error("the caller header is malformed")]
    Header,
}

/// The secrets, as keys. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    shared: Arc<Keys>,
    /// By the name of the subgraph that is called.
    of_services: Arc<BTreeMap<String, Keys>>,
    clock: Clock,
}

struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

const SHORTEST_SECRET: usize = 32;

impl Identity {
    /// Keys from `identity.secret`, which must have at least 32 bytes.
    pub fn new(secret: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            shared: Arc::new(Keys::new(secret).ok_or(ConfigError::WeakSecret)?),
            of_services: Arc::default(),
            clock: Clock::default(),
        })
    }

    /// Keys from `identity.secrets`: calls to these subgraphs are signed under a secret of their own instead of the shared one.
    pub fn with_secrets(self, secrets: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let keys = |(service, secret): (&String, &String)| match Keys::new(secret) {
            Some(keys) => Ok((service.clone(), keys)),
            None => Err(ConfigError::WeakServiceSecret(service.clone())),
        };
        let of_services = secrets.iter().map(keys).collect::<Result<_, _>>()?;
        Ok(Self {
            of_services: Arc::new(of_services),
            ..self
        })
    }

    /// The clock by which calls are signed and judged.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    fn keys(&self, audience: &str) -> &Keys {
        self.of_services.get(audience).unwrap_or(&self.shared)
    }

    /// A header value that lets `caller` call `audience` for the next 10 s.
    pub fn sign(&self, caller: &Caller, audience: &str) -> String {
        self.sign_claims(&self.claims(caller, audience))
    }

    /// The claims that [`Identity::sign`] signs.
    pub fn claims(&self, caller: &Caller, audience: &str) -> CallerClaims {
        let iat = self.clock.seconds();
        let mut claims = CallerClaims {
            iss: ROUTER.to_owned(),
            aud: audience.to_owned(),
            iat,
            exp: iat + LIFETIME_SECONDS,
            htm: "POST".to_owned(),
            htu: "/graphql".to_owned(),
            sub: None,
            sid: None,
            roles: Vec::new(),
            scope: String::new(),
            addr: None,
        };
        match caller {
            Caller::Anonymous => {}
            Caller::Service { name } => claims.iss.clone_from(name),
            Caller::User {
                id,
                session,
                roles,
                scopes,
            } => {
                claims.sub = Some(*id);
                claims.sid = *session;
                claims.roles.clone_from(roles);
                claims.scope = scopes.join(" ");
            }
        }
        claims
    }

    /// A header value with exactly these claims.
    pub fn sign_claims(&self, claims: &CallerClaims) -> String {
        let key = &self.keys(&claims.aud).encoding;
        encode(&Header::new(Algorithm::HS256), claims, key)
            .expect("plain claims under an HMAC key always encode")
    }

    /// Who `token` says is calling `POST /graphql` of `audience`.
    pub fn verify(&self, token: &str, audience: &str) -> Result<Caller, InvalidCaller> {
        self.open(token, audience).map(Caller::from)
    }

    /// All that `token` says about a call of `POST /graphql` of `audience`.
    pub fn open(&self, token: &str, audience: &str) -> Result<CallerClaims, InvalidCaller> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        // Judged below, by our clock.
        validation.validate_exp = false;
        let claims = decode::<CallerClaims>(token, &self.keys(audience).decoding, &validation)?.claims;
        if claims
            .exp
            .checked_sub(claims.iat)
            .is_none_or(|lifetime| lifetime > LIFETIME_SECONDS)
        {
            return Err(InvalidCaller::Lifetime);
        }
        if claims.htm != "POST" || claims.htu != "/graphql" {
            return Err(InvalidCaller::Binding);
        }
        check_time(&claims, self.clock.seconds())?;
        Ok(claims)
    }
}

impl Keys {
    fn new(secret: &str) -> Option<Self> {
        (secret.len() >= SHORTEST_SECRET).then(|| Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(secret)")
    }
}

fn check_time(claims: &CallerClaims, now: u64) -> Result<(), InvalidCaller> {
    if claims.iat <= now + CLOCK_SKEW_SECONDS && now <= claims.exp.saturating_add(CLOCK_SKEW_SECONDS) {
        return Ok(());
    }
    let signed_ago = i64::try_from(now).unwrap_or(0) - i64::try_from(claims.iat).unwrap_or(0);
    Err(InvalidCaller::Clock(signed_ago))
}

impl From<CallerClaims> for Caller {
    fn from(claims: CallerClaims) -> Self {
        if claims.iss != ROUTER {
            return Self::Service { name: claims.iss };
        }
        match claims.sub {
            None => Self::Anonymous,
            Some(id) => Self::User {
                id,
                session: claims.sid,
                roles: claims.roles,
                scopes: claims.scope.split_whitespace().map(str::to_owned).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn claims() -> CallerClaims {
        let iat = jsonwebtoken::get_current_timestamp();
        CallerClaims {
            iss: ROUTER.into(),
            aud: "auth".into(),
            iat,
            exp: iat + LIFETIME_SECONDS,
            htm: "POST".into(),
            htu: "/graphql".into(),
            sub: Some(UserId::new()),
            sid: None,
            roles: vec!["customer".into()],
            scope: "a b".into(),
            addr: None,
        }
    }

    #[test]
    fn a_caller_survives_the_header() {
        let identity = Identity::new(SECRET).unwrap();
        let user = Caller::User {
            id: UserId::new(),
            session: Some(SessionId::new()),
            roles: vec!["merchant".into()],
            scopes: vec!["product:write".into(), "inventory:write".into()],
        };
        for caller in [Caller::Anonymous, user, Caller::Service { name: "order".into() }] {
            assert_eq!(
                identity.verify(&identity.sign(&caller, "auth"), "auth").unwrap(),
                caller
            );
        }
    }

    #[test]
    fn what_is_not_proven_is_refused() {
        let identity = Identity::new(SECRET).unwrap();
        let check = |what: &str, valid: bool, change: &dyn Fn(&mut CallerClaims)| {
            let mut claims = claims();
            change(&mut claims);
            let verified = identity.verify(&identity.sign_claims(&claims), "auth");
            assert_eq!(verified.is_ok(), valid, "{what}: {verified:?}");
        };
        check("as signed", true, &|_| {});
        check("other audience", false, &|claims| claims.aud = "order".into());
        check("expired", false, &|claims| {
            (claims.iat, claims.exp) = (claims.iat - 60, claims.exp - 60)
        });
        check("too long", false, &|claims| claims.exp += 1);
        check("future", false, &|claims| {
            (claims.iat, claims.exp) = (claims.iat + 20, claims.exp + 20)
        });
        check("a little slow", true, &|claims| {
            (claims.iat, claims.exp) = (claims.iat - 12, claims.exp - 12)
        });
        check("ends before it begins", false, &|claims| {
            claims.exp = claims.iat - 1
        });
        check("other method", false, &|claims| claims.htm = "GET".into());
        check("other path", false, &|claims| claims.htu = "/".into());
    }

    #[test]
    fn clocks_that_differ_are_named() {
        let (here, there) = (Identity::new(SECRET).unwrap(), Identity::new(SECRET).unwrap());
        there
            .clock()
            .follow(chrono::Utc::now() + chrono::TimeDelta::minutes(10));
        let error = there
            .verify(&here.sign(&Caller::Anonymous, "auth"), "auth")
            .unwrap_err();
        assert!(matches!(error, InvalidCaller::Clock(599..=601)), "{error}");
        let error = here
            .verify(&there.sign(&Caller::Anonymous, "auth"), "auth")
            .unwrap_err();
        assert!(matches!(error, InvalidCaller::Clock(-601..=-599)), "{error}");
        here.clock()
            .follow(chrono::Utc::now() + chrono::TimeDelta::minutes(10));
        assert!(
            there
                .verify(&here.sign(&Caller::Anonymous, "auth"), "auth")
                .is_ok()
        );
    }

    #[test]
    fn a_subgraph_with_a_secret_of_its_own_believes_no_other() {
        let secrets = |of_auth: &str| BTreeMap::from([("auth".to_owned(), of_auth.to_owned())]);
        let shared = Identity::new(SECRET).unwrap();
        let own = shared
            .clone()
            .with_secrets(&secrets("the secret of auth, which only auth has"))
            .unwrap();
        let verified = |by: &Identity, to: &str| own.verify(&by.sign(&Caller::Anonymous, to), to).is_ok();
        assert!(verified(&own, "auth"));
        assert!(
            !verified(&shared, "auth"),
            "the shared secret opens the others only"
        );
        assert!(verified(&shared, "order"));
        let weak = shared.with_secrets(&secrets("short")).unwrap_err();
        assert!(weak.to_string().contains("identity.secrets.auth"), "{weak}");
    }

    #[test]
    fn other_keys_and_algorithms_are_refused() {
        let identity = Identity::new(SECRET).unwrap();
        let other = Identity::new("another secret of more than 32 bytes").unwrap();
        assert!(
            identity
                .verify(&other.sign(&Caller::Anonymous, "auth"), "auth")
                .is_err()
        );
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let hs512 = encode(&Header::new(Algorithm::HS512), &claims(), &key).unwrap();
        assert!(identity.verify(&hs512, "auth").is_err());
        assert!(identity.verify("", "auth").is_err());
        assert!(identity.verify("eyJhbGciOiJub25lIn0.e30.", "auth").is_err());
        assert!(matches!(Identity::new("short"), Err(ConfigError::WeakSecret)));
    }
}
