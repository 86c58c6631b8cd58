//! The account rules, apart from how GraphQL shows them: what they share. The rules themselves are one file a story: [`sign_up`](crate::sign_up),
//! [`sign_in`](crate::sign_in), [`password_change`](crate::password_change), [`profile`](crate::profile), [`grants`](crate::grants),
//! [`outside_sign_in`](crate::outside_sign_in).

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, SessionId, UserError, UserId};

use crate::{
    access_token::AccessTokens,
    audit::{AuditLog, Event, EventKind},
    config::EmailVerification,
    email::Email,
    mail::Mailer,
    one_time_code::OneTimeCodes,
    password::Passwords,
    rate_limit::RateLimits,
    session::{Continued, Device, Proof, Sessions},
    store::{Account, Store},
};

const MAX_NAME_CHARS: usize = 100;

/// An account and the tokens of a session just begun or continued.
#[derive(Debug)]
pub struct SignedIn {
    /// Whose session it is.
    pub account: Account,
    /// JWT for the router.
    pub access_token: String,
    /// Opaque, for the next refresh.
    pub refresh_token: String,
}

/// What the caller can put right, or a fault.
#[derive(Debug)]
pub enum Refused {
    /// Goes into the payload.
    ByUser(Vec<UserError>),
    /// Goes to the top level.
    ByFault(ApiError),
}

impl Refused {
    pub(crate) fn on(field: &str, code: ErrorCode, message: impl Into<String>) -> Self {
        UserError::on(field, code, message).into()
    }
}

impl From<UserError> for Refused {
    fn from(error: UserError) -> Self {
        Self::ByUser(vec![error])
    }
}

impl From<ApiError> for Refused {
    fn from(fault: ApiError) -> Self {
        Self::ByFault(fault)
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::ByFault(error.into())
    }
}

/// A signed-in caller: the user, and the session the request belongs to.
#[derive(Clone, Copy, Debug)]
pub struct SignedInCaller {
    /// The account.
    pub user: UserId,
    /// The session, where the router says.
    pub session: Option<SessionId>,
}

/// The account rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Accounts in Postgres.
    pub store: Store,
    /// Hashes.
    pub passwords: Passwords,
    /// Signed-in devices.
    pub sessions: Sessions,
    /// What proves a user to the router.
    pub access_tokens: AccessTokens,
    /// Codes sent by e-mail.
    pub codes: OneTimeCodes,
    /// Sends them.
    pub mailer: Mailer,
    /// How often what may be tried.
    pub limits: RateLimits,
    /// What happened.
    pub audit: AuditLog,
    /// Whether an address must be proven before its account begins.
    pub verification: EmailVerification,
    /// Becomes admin when it proves its address.
    pub first_admin: Option<Email>,
}

impl Accounts {
    /// Begins a session and writes it down. Rights go into the token as they are once the session is there: taking one away ends it.
    pub(crate) async fn begin_session(
        &self,
        user: UserId,
        proof: Proof<'_>,
        device: &Device,
    ) -> Result<SignedIn, Refused> {
        let begun = self.sessions.begin(user, proof, device).await?;
        let begun = begun.ok_or_else(invalid_credentials)?;
        let account = self.store.by_id(user).await?;
        let account = account.ok_or_else(invalid_credentials)?;
        let event = Event::new(EventKind::SignedIn)
            .of(user)
            .in_session(Some(begun.session))
            .from(device.address);
        self.audit.record(event).await?;
        self.signed_in(account, begun)
    }

    pub(crate) fn signed_in(&self, account: Account, session: Continued) -> Result<SignedIn, Refused> {
        let access_token = self.access_tokens.issue(&account, session.session)?;
        Ok(SignedIn {
            account,
            access_token,
            refresh_token: session.refresh_token,
        })
    }

    /// The account of a signed-in caller; a token outlives its account by two seconds.
    pub(crate) async fn require(&self, user: UserId) -> Result<Account, Refused> {
        let account = self.store.by_id(user).await?;
        account.ok_or_else(|| ApiError::Unauthenticated.into())
    }

    /// Is this a password that `account` may choose?
    pub(crate) async fn check_new_password(
        &self,
        field: &str,
        password: &str,
        email: &str,
        name: Option<&str>,
    ) -> Result<Option<UserError>, ApiError> {
        let checked = self.passwords.check(password, about(email, name)).await?;
        Ok(checked
            .err()
            .map(|error| UserError::on(field, ErrorCode::WeakPassword, error.to_string())))
    }
}

/// What an attacker who knows the account would try first.
fn about(email: &str, name: Option<&str>) -> Vec<String> {
    let local_part = email.split('@').next().unwrap_or_default();
    [email, local_part]
        .into_iter()
        .chain(name)
        .map(|text| text.trim().to_lowercase())
        .filter(|text| !text.is_empty())
        .collect()
}

/// A blank name is none.
pub(crate) fn check_name(name: Option<&str>) -> Result<Option<String>, UserError> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let message = "a name has at most 100 characters, none of them control characters";
        return Err(UserError::on("name", ErrorCode::InvalidInput, message));
    }
    Ok(Some(name.to_owned()))
}

/// The address, or a user error on the field `email`.
pub(crate) fn parse_email(email: &str) -> Result<Email, UserError> {
    Email::parse(email).map_err(|error| UserError::on("email", ErrorCode::InvalidInput, error.to_string()))
}

/// The one answer to a wrong password, and to one for no account.
pub(crate) fn invalid_credentials() -> Refused {
    let message = "the e-mail address or the password is wrong";
    UserError::new(ErrorCode::InvalidCredentials, message).into()
}

/// The one answer to a code that is wrong, old, used, or of nobody.
pub(crate) fn invalid_code() -> Refused {
    Refused::on(
        "code",
        ErrorCode::InvalidCode,
        "the code is wrong or no longer valid",
    )
}
