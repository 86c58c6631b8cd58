//! Sign-up, sign-in and refresh: the rules, apart from how GraphQL shows them.

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, UserError};

use crate::{
    access_token::AccessTokens,
    email::Email,
    password::{Passwords, check_acceptable},
    session::{Continued, Sessions},
    store::{Account, NewAccount, Store},
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

/// What signing up takes.
#[derive(Debug)]
pub struct SignUp {
    /// As typed.
    pub email: String,
    /// In clear.
    pub password: String,
    /// What to call the person.
    pub name: Option<String>,
}

/// The account rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    passwords: Passwords,
    sessions: Sessions,
    access_tokens: AccessTokens,
}

impl Accounts {
    /// Accounts over their parts.
    pub fn new(store: Store, passwords: Passwords, sessions: Sessions, access_tokens: AccessTokens) -> Self {
        Self {
            store,
            passwords,
            sessions,
            access_tokens,
        }
    }

    /// Makes a customer's account and signs it in.
    pub async fn sign_up(&self, input: SignUp) -> Result<SignedIn, Refused> {
        let (email, name) = validate(&input).map_err(Refused::ByUser)?;
        let password_hash = self.passwords.hash(input.password).await?;
        let roles = vec!["customer".to_owned()];
        let new = NewAccount {
            email,
            name,
            password_hash,
            roles,
            scopes: Vec::new(),
        };
        let account = self.store.insert(new).await?.ok_or_else(|| {
            UserError::on(
                "email",
                ErrorCode::EmailTaken,
                "an account with this e-mail address exists",
            )
        })?;
        self.begin_session(account).await
    }

    /// Signs in. Unknown addresses and wrong passwords get the same answer after the same work.
    pub async fn sign_in(&self, email: &str, password: String) -> Result<SignedIn, Refused> {
        let found = match Email::parse(email) {
            Ok(email) => self.store.by_email(&email).await?,
            Err(_) => None,
        };
        let (account, stored) = found.unzip();
        let is_possible = check_acceptable(&password).is_ok();
        let password = if is_possible { password } else { String::new() };
        let verified = self.passwords.verify(password, stored).await?;
        match account {
            Some(account) if verified && is_possible => self.begin_session(account).await,
            _ => {
                let message = "the e-mail address or the password is wrong";
                Err(UserError::new(ErrorCode::InvalidCredentials, message).into())
            }
        }
    }

    /// Swaps a refresh token for new tokens, with the account's roles and scopes of now.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, Refused> {
        let invalid = || {
            let message = "the refresh token is not valid: sign in again";
            UserError::on("refreshToken", ErrorCode::InvalidRefreshToken, message)
        };
        let continued = self.sessions.refresh(token).await?.ok_or_else(invalid)?;
        let account = self.store.by_id(continued.user).await?.ok_or_else(invalid)?;
        self.signed_in(account, continued)
    }

    async fn begin_session(&self, account: Account) -> Result<SignedIn, Refused> {
        let begun = self.sessions.begin(account.id).await?;
        self.signed_in(account, begun)
    }

    fn signed_in(&self, account: Account, session: Continued) -> Result<SignedIn, Refused> {
        let access_token = self.access_tokens.issue(&account, session.session)?;
        Ok(SignedIn {
            account,
            access_token,
            refresh_token: session.refresh_token,
        })
    }
}

/// All that is wrong at once, so that a form can show it.
fn validate(input: &SignUp) -> Result<(Email, Option<String>), Vec<UserError>> {
    let email = Email::parse(&input.email)
        .map_err(|error| UserError::on("email", ErrorCode::InvalidInput, error.to_string()));
    let password = check_acceptable(&input.password)
        .map_err(|error| UserError::on("password", ErrorCode::WeakPassword, error.to_string()));
    let name = check_name(input.name.as_deref());
    match (email, password, name) {
        (Ok(email), Ok(()), Ok(name)) => Ok((email, name)),
        (email, password, name) => Err([email.err(), password.err(), name.err()]
            .into_iter()
            .flatten()
            .collect()),
    }
}

/// A blank name is none.
fn check_name(name: Option<&str>) -> Result<Option<String>, UserError> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let message = "a name has at most 100 characters, none of them control characters";
        return Err(UserError::on("name", ErrorCode::InvalidInput, message));
    }
    Ok(Some(name.to_owned()))
}
