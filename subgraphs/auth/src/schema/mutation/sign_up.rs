//! Signing up, and proving an address.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use super::{CompletedPayload, request};
use crate::{
    schema::types::{AuthTokens, User},
    sign_up::{SignUp, SignedUp, Verified},
};

/// The mutations of signing up.
#[derive(Debug, Default)]
pub struct SignUpMutation;

#[Object]
impl SignUpMutation {
    /// Makes an account and signs it in; or, where addresses must be proven first, mails a code for `verifyEmail`.
    async fn sign_up(&self, ctx: &Context<'_>, input: SignUpInput) -> Result<SignUpPayload, ApiError> {
        let device = request::device(ctx, input.device_name.as_deref());
        let sign_up = SignUp {
            email: input.email,
            password: input.password,
            name: input.name,
        };
        let outcome = request::accounts(ctx).sign_up(sign_up, &device).await;
        let (signed_up, user_errors) = request::payload(outcome)?;
        let (signed_in, verification_required) = match signed_up {
            Some(SignedUp::SignedIn(signed_in)) => (Some(*signed_in), false),
            Some(SignedUp::CodeSent) => (None, true),
            None => (None, false),
        };
        let (user, tokens) = signed_in.map(<(User, AuthTokens)>::from).unzip();
        Ok(SignUpPayload {
            user,
            tokens,
            verification_required,
            user_errors,
        })
    }

    /// Mails a code that proves an address, if there is a reason to. Says nothing about who has an account.
    async fn send_email_verification(
        &self,
        ctx: &Context<'_>,
        input: SendEmailVerificationInput,
    ) -> Result<CompletedPayload, ApiError> {
        let device = request::device(ctx, None);
        let sent = request::accounts(ctx)
            .send_email_verification(&input.email, &device)
            .await;
        CompletedPayload::of(sent)
    }

    /// Enters a mailed code: proves the address, and signs in where that completes a sign-up.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload, ApiError> {
        let device = request::device(ctx, input.device_name.as_deref());
        let outcome = request::accounts(ctx)
            .verify_email(&input.email, &input.code, &device)
            .await;
        let (verified, user_errors) = request::payload(outcome)?;
        let (user, tokens) = match verified {
            Some(Verified::SignedUp(signed_in)) => Some(<(User, AuthTokens)>::from(*signed_in)).unzip(),
            Some(Verified::Proven(account)) => (Some(User::of_the_caller(account)), None),
            None => (None, None),
        };
        Ok(VerifyEmailPayload {
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
    /// Long and uncommon; what is in it does not matter. At most 256 characters.
    #[graphql(secret)]
    pub password: String,
    /// What to call you.
    pub name: Option<String>,
    /// What to call this device in the list of sessions.
    pub device_name: Option<String>,
}

/// What asking for a code takes.
#[derive(Debug, InputObject)]
pub struct SendEmailVerificationInput {
    /// The address to prove.
    pub email: String,
}

/// What entering a code takes.
#[derive(Debug, InputObject)]
pub struct VerifyEmailInput {
    /// The address to prove.
    pub email: String,
    /// The code from the mail: six digits, good once, for ten minutes and five tries.
    #[graphql(secret)]
    pub code: String,
    /// What to call this device in the list of sessions.
    pub device_name: Option<String>,
}

/// The outcome of `signUp`.
#[derive(Debug, SimpleObject)]
pub struct SignUpPayload {
    /// The new account, where it begins at once.
    pub user: Option<User>,
    /// Its tokens.
    pub tokens: Option<AuthTokens>,
    /// Nothing is refused, but the account begins with `verifyEmail` and the code we mailed.
    pub verification_required: bool,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
}

/// The outcome of `verifyEmail`.
#[derive(Debug, SimpleObject)]
pub struct VerifyEmailPayload {
    /// The account whose address is proven.
    pub user: Option<User>,
    /// Its tokens, where this completed a sign-up.
    pub tokens: Option<AuthTokens>,
    /// Why the address is not proven.
    pub user_errors: Vec<UserError>,
}
