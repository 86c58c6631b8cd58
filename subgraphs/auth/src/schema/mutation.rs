//! `Mutation`: sign-up, sign-in, refresh.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use super::types::{AuthTokens, User};
use crate::account::{Accounts, Refused, SignUp, SignedIn};

/// Root of mutations.
#[derive(Debug)]
pub struct Mutation;

#[Object]
impl Mutation {
    /// Makes an account and signs it in.
    async fn sign_up(&self, ctx: &Context<'_>, input: SignUpInput) -> Result<SignUpPayload, ApiError> {
        let SignUpInput {
            email,
            password,
            name,
        } = input;
        let outcome = accounts(ctx)
            .sign_up(SignUp {
                email,
                password,
                name,
            })
            .await;
        let (user, tokens, user_errors) = show(outcome)?;
        Ok(SignUpPayload {
            user,
            tokens,
            user_errors,
        })
    }

    /// Signs in with e-mail address and password.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Result<SignInPayload, ApiError> {
        let outcome = accounts(ctx).sign_in(&input.email, input.password).await;
        let (user, tokens, user_errors) = show(outcome)?;
        Ok(SignInPayload {
            user,
            tokens,
            user_errors,
        })
    }

    /// Swaps a refresh token for new tokens. Each is good once; using one twice ends the session.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        input: RefreshTokenInput,
    ) -> Result<RefreshTokenPayload, ApiError> {
        let outcome = accounts(ctx).refresh(&input.refresh_token).await;
        let (user, tokens, user_errors) = show(outcome)?;
        Ok(RefreshTokenPayload {
            user,
            tokens,
            user_errors,
        })
    }
}

/// What signing up takes.
#[derive(Debug, InputObject)]
pub struct SignUpInput {
    /// The address that signs in.
    pub email: String,
    /// 8 to 256 characters.
    #[graphql(secret)]
    pub password: String,
    /// What to call you.
    pub name: Option<String>,
}

/// What signing in takes.
#[derive(Debug, InputObject)]
pub struct SignInInput {
    /// The account's address.
    pub email: String,
    /// Its password.
    #[graphql(secret)]
    pub password: String,
}

/// What refreshing takes.
#[derive(Debug, InputObject)]
pub struct RefreshTokenInput {
    /// The latest refresh token of the session.
    #[graphql(secret)]
    pub refresh_token: String,
}

/// The outcome of `signUp`.
#[derive(Debug, SimpleObject)]
pub struct SignUpPayload {
    /// The new account.
    pub user: Option<User>,
    /// Its tokens.
    pub tokens: Option<AuthTokens>,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
}

/// The outcome of `signIn`.
#[derive(Debug, SimpleObject)]
pub struct SignInPayload {
    /// The account.
    pub user: Option<User>,
    /// Its tokens.
    pub tokens: Option<AuthTokens>,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
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

type Shown = (Option<User>, Option<AuthTokens>, Vec<UserError>);

fn show(outcome: Result<SignedIn, Refused>) -> Result<Shown, ApiError> {
    match outcome {
        Ok(signed_in) => {
            let tokens = AuthTokens::new(signed_in.access_token, signed_in.refresh_token);
            Ok((
                Some(User::of_the_caller(signed_in.account)),
                Some(tokens),
                Vec::new(),
            ))
        }
        Err(Refused::ByUser(errors)) => Ok((None, None, errors)),
        Err(Refused::ByFault(fault)) => Err(fault),
    }
}

fn accounts<'a>(ctx: &Context<'a>) -> &'a Accounts {
    ctx.data_unchecked::<Accounts>()
}
