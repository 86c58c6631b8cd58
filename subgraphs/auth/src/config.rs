//! The `auth` section of the configuration.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};

use crate::rate_limit::RateLimitsConfig;

/// How the auth service runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// Where it listens. Default `127.0.0.1:4001`.
    pub listen: SocketAddr,
    /// Creates the accounts of a demonstration, with publicly known passwords, and relaxes the defaults marked below. Default false.
    pub demo: bool,
    /// How long an unused refresh token is valid. Default 30 days.
    #[serde(deserialize_with = "days")]
    pub refresh_token_days: u32,
    /// How long after its use a refresh token still answers with the same successor. Default 10 s; docs/accounts.md, "Sessions and tokens".
    pub refresh_grace_seconds: u32,
    /// Age at which the signing key is replaced by the next. Default 90 days.
    #[serde(deserialize_with = "days")]
    pub key_rotation_days: u32,
    /// How long security events are kept. Default 365 days.
    #[serde(deserialize_with = "days")]
    pub audit_days: u32,
    /// Whether an address must be proven before its account begins. Default `required`; `optional` for a demonstration.
    pub email_verification: Option<EmailVerification>,
    /// The account that may grant roles, as long as there is no other.
    pub first_admin: Option<FirstAdmin>,
    /// Which passwords are accepted, and the cost of a hash.
    pub password: PasswordConfig,
    /// How e-mail is sent.
    pub mail: MailConfig,
    /// How often what may be tried.
    pub rate_limits: RateLimitsConfig,
    /// Outside OpenID Connect providers, by a name of ours.
    pub oidc: BTreeMap<String, OidcProviderConfig>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4001)),
            demo: false,
            refresh_token_days: 30,
            refresh_grace_seconds: 10,
            key_rotation_days: 90,
            audit_days: 365,
            email_verification: None,
            first_admin: None,
            password: PasswordConfig::default(),
            mail: MailConfig::default(),
            rate_limits: RateLimitsConfig::default(),
            oidc: BTreeMap::new(),
        }
    }
}

impl AuthConfig {
    pub(crate) fn refresh_token_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.refresh_token_days) * 24 * 60 * 60)
    }

    pub(crate) fn refresh_grace(&self) -> Duration {
        Duration::from_secs(u64::from(self.refresh_grace_seconds))
    }

    pub(crate) fn verification(&self) -> EmailVerification {
        let fallback = if self.demo {
            EmailVerification::Optional
        } else {
            EmailVerification::Required
        };
        self.email_verification.unwrap_or(fallback)
    }

    /// NIST SP 800-63B-4, section 3.1.1.2: 15 characters where the password is the only factor.
    pub(crate) fn min_password_chars(&self) -> usize {
        let fallback = if self.demo { 8 } else { 15 };
        self.password.min_chars.unwrap_or(fallback)
    }
}

/// Whether an address must be proven before its account begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailVerification {
    /// `signUp` always gives the same answer and sends a code; `verifyEmail` makes the account. Nobody learns who has one.
    Required,
    /// `signUp` signs in at once, and says where an address is taken.
    Optional,
}

/// The first administrator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstAdmin {
    /// The account with this address becomes admin when it proves the address.
    pub email: String,
    /// Makes the account at the start, with this password; without, the person signs up.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// Which passwords are accepted; the cost of a hash (Argon2id), and how many may be computed at once. The costs are OWASP's: 19 MiB, 2 passes.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Fewest characters. Default 15; 8 for a demonstration.
    pub min_chars: Option<usize>,
    /// Memory of one hash.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashes computed at once: bounds memory and CPU. Default: the number of CPUs.
    pub max_concurrent: Option<usize>,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self {
            min_chars: None,
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            max_concurrent: None,
        }
    }
}

/// How e-mail is sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The sender.
    pub from: String,
    /// `smtps://user:password@host`, or `smtp://user:password@host:587?tls=required`. Without it mails are written into `outbox`.
    pub smtp_url: Option<Secret>,
    /// PEM file of the authority that the SMTP server's certificate comes from, where that is not a public one.
    pub ca_file: Option<PathBuf>,
    /// Folder that receives one `.eml` file a mail where there is no `smtp_url`. Default `.fondaco/outbox`.
    pub outbox: Option<PathBuf>,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            from: "Fondaco <no-reply@fondaco.example>".to_owned(),
            smtp_url: None,
            ca_file: None,
            outbox: None,
        }
    }
}

/// An OpenID Connect provider that knows us as a client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProviderConfig {
    /// Its issuer; metadata is read from `{issuer}/.well-known/openid-configuration`.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What proves us.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// Where it sends people back; only ever taken from here.
    pub redirect_url: String,
}

/// A century is for ever, and calendars can still count with it.
fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let days = u32::deserialize(deserializer)?;
    match days {
        1..=36_500 => Ok(days),
        _ => Err(Error::custom(format!("{days}: expected 1 to 36500 days"))),
    }
}

/// A text that no log may show.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use fondaco_chassis::config::parse;

    use super::*;

    #[test]
    fn days_are_those_of_a_calendar() {
        for key in ["refresh_token_days", "key_rotation_days", "audit_days"] {
            for (days, accepted) in [
                ("1", true),
                ("36500", true),
                ("0", false),
                ("4000000000", false),
                ("-1", false),
            ] {
                let parsed = parse::<AuthConfig>(&format!("{key}: {days}"), "test");
                assert_eq!(parsed.is_ok(), accepted, "{key}: {days}");
                if let Err(error) = parsed {
                    assert!(error.to_string().contains("line 1"), "{error}");
                }
            }
        }
    }
}
