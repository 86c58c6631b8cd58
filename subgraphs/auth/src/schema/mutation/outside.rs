//! Signing in with an outside provider.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use super::{request, sign_in::SignInPayload};
use crate::oidc::Answer;

/// The mutations of outside providers.
#[derive(Debug, Default)]
pub struct OutsideMutation;

#[Object]
impl OutsideMutation {
    /// Begins to sign in with an outside provider: send the person to `authorizationUrl`.
    async fn begin_oidc_sign_in(
        &self,
        ctx: &Context<'_>,
        input: BeginOidcSignInInput,
    ) -> Result<BeginOidcSignInPayload, ApiError> {
        let device = request::device(ctx, None);
        let begun = request::outside(ctx).begin(&input.provider, &device).await;
        let (begun, user_errors) = request::payload(begun)?;
        let flow = begun.map(|begun| OidcFlow {
            authorization_url: begun.authorization_url,
            state: begun.state,
            flow_secret: begun.flow_secret,
        });
        Ok(BeginOidcSignInPayload { flow, user_errors })
    }

    /// Signs in with what the provider sent the person back with.
    async fn complete_oidc_sign_in(
        &self,
        ctx: &Context<'_>,
        input: CompleteOidcSignInInput,
    ) -> Result<SignInPayload, ApiError> {
        let device = request::device(ctx, input.device_name.as_deref());
        let answer = Answer {
            code: input.code,
            state: input.state,
            flow_secret: input.flow_secret,
            issuer: input.issuer,
        };
        SignInPayload::of(request::outside(ctx).complete(answer, &device).await)
    }
}

/// What beginning takes.
#[derive(Debug, InputObject)]
pub struct BeginOidcSignInInput {
    /// One of `oidcProviders`.
    pub provider: String,
}

/// What completing takes.
#[derive(Debug, InputObject)]
pub struct CompleteOidcSignInInput {
    /// `code` of the redirect.
    #[graphql(secret)]
    pub code: String,
    /// `state` of the redirect.
    #[graphql(secret)]
    pub state: String,
    /// What `beginOidcSignIn` gave this client.
    #[graphql(secret)]
    pub flow_secret: String,
    /// `iss` of the redirect, where there is one.
    pub issuer: Option<String>,
    /// What to call this device in the list of sessions.
    pub device_name: Option<String>,
}

/// A sign-in that has begun; valid ten minutes, for one try.
#[derive(Debug, SimpleObject)]
pub struct OidcFlow {
    /// Where to send the person.
    pub authorization_url: String,
    /// Comes back beside the code; must be the same.
    pub state: String,
    /// Keep it in this browser: it shows that the one who comes back is the one who left.
    pub flow_secret: String,
}

/// The outcome of `beginOidcSignIn`.
#[derive(Debug, SimpleObject)]
pub struct BeginOidcSignInPayload {
    /// The sign-in that has begun.
    pub flow: Option<OidcFlow>,
    /// Why there is none.
    pub user_errors: Vec<UserError>,
}
