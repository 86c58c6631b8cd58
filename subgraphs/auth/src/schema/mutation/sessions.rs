//! Signing devices out.

use async_graphql::{Context, InputObject, Object};
use fondaco_chassis::{ApiError, federation::authenticated, require_user};
use fondaco_contracts::SessionId;

use super::{CompletedPayload, request};

/// The mutations of signing out. An access token is refused within two seconds of the end of its session, its refresh token at once.
#[derive(Debug, Default)]
pub struct SessionsMutation;

#[Object]
impl SessionsMutation {
    /// Signs this device out.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<CompletedPayload, ApiError> {
        let (caller, device) = (request::caller(ctx)?, request::device(ctx, None));
        CompletedPayload::of(request::accounts(ctx).sign_out(caller, &device).await)
    }

    /// Signs all devices out, this one too.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn sign_out_all(&self, ctx: &Context<'_>) -> Result<CompletedPayload, ApiError> {
        let (caller, device) = (request::caller(ctx)?, request::device(ctx, None));
        CompletedPayload::of(request::accounts(ctx).sign_out_all(caller, &device).await)
    }

    /// Signs one device out.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        input: RevokeSessionInput,
    ) -> Result<CompletedPayload, ApiError> {
        let (caller, device) = (request::caller(ctx)?, request::device(ctx, None));
        let revoked = request::accounts(ctx)
            .revoke_session(caller, input.session_id, &device)
            .await;
        CompletedPayload::of(revoked)
    }
}

/// Which device to sign out.
#[derive(Debug, InputObject)]
pub struct RevokeSessionInput {
    /// One of `sessions`.
    pub session_id: SessionId,
}
