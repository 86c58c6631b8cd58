//! Signing in, and staying so.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use super::request;
use crate::{
    account::{Refused, SignedIn},
    schema::types::{AuthTokens, User},
};

/// The mutations of signing in.
#[derive(Debug, Default)]
pub struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs in with e-mail address and password.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Result<SignInPayload, ApiError> {
        let device = request::device(ctx, input.device_name.as_deref());
        let outcome = request::accounts(ctx)
            .sign_in(&input.email, input.password, &device)
            .await;
        SignInPayload::of(outcome)
    }

    /// Swaps a refresh token for new tokens. Each is good once; using one again later ends the session.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        input: RefreshTokenInput,
    ) -> Result<RefreshTokenPayload, ApiError> {
        let device = request::device(ctx, None);
        let outcome = request::accounts(ctx)
            .refresh(&input.refresh_token, &device)
            .await;
        let (signed_in, user_errors) = request::payload(outcome)?;
        let (user, tokens) = signed_in.map(<(User, AuthTokens)>::from).unzip();
        Ok(RefreshTokenPayload {
            user,
            tokens,
            user_errors,
        })
    }
}

/// What signing in takes.
#[derive(Debug, InputObject)]
pub struct SignInInput {
    /// The account's address.
    pub email: String,
    /// Its password.
    #[graphql(secret)]
    pub password: String,
    /// What to call this device in the list of sessions.
    pub device_name: Option<String>,
}

/// What refreshing takes.
#[derive(Debug, InputObject)]
pub struct RefreshTokenInput {
    /// The latest refresh token of the session.
    #[graphql(secret)]
    pub refresh_token: String,
}

/// The outcome of signing in.
#[derive(Debug, SimpleObject)]
pub struct SignInPayload {
    /// The account.
    pub user: Option<User>,
    /// Its tokens.
    pub tokens: Option<AuthTokens>,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
}

impl SignInPayload {
    pub(super) fn of(outcome: Result<SignedIn, Refused>) -> Result<Self, ApiError> {
        let (signed_in, user_errors) = request::payload(outcome)?;
        let (user, tokens) = signed_in.map(<(User, AuthTokens)>::from).unzip();
        Ok(Self {
            user,
            tokens,
            user_errors,
        })
    }
}

/// The outcome of `refreshToken`.
#[derive(Debug, SimpleObject)]
pub struct RefreshTokenPayload {
    /// The account.
    pub user: Option<User>,
    /// Its new tokens.
    pub tokens: Option<AuthTokens>,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
}
