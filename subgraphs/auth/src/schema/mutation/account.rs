//! What people do with their account.

use async_graphql::{Context, InputObject, Object};
use fondaco_chassis::{ApiError, federation::authenticated, require_user};

use super::{AccountPayload, CompletedPayload, request};
use crate::schema::types::User;

/// The mutations of one's own account.
#[derive(Debug, Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes what you are called.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<AccountPayload, ApiError> {
        let caller = request::caller(ctx)?;
        let updated = request::accounts(ctx)
            .update_profile(caller, input.name.as_deref())
            .await;
        AccountPayload::of(updated, User::of_the_caller)
    }

    /// Changes the password and signs all other devices out.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<AccountPayload, ApiError> {
        let (caller, device) = (request::caller(ctx)?, request::device(ctx, None));
        let changed = request::accounts(ctx)
            .change_password(caller, input.current_password, input.new_password, &device)
            .await;
        AccountPayload::of(changed, User::of_the_caller)
    }

    /// Mails a code to choose a new password, if the address has an account. Says nothing about whether it has.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<CompletedPayload, ApiError> {
        let device = request::device(ctx, None);
        let requested = request::accounts(ctx)
            .request_password_reset(&input.email, &device)
            .await;
        CompletedPayload::of(requested)
    }

    /// Chooses a new password with a mailed code and signs all devices out.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<CompletedPayload, ApiError> {
        let device = request::device(ctx, None);
        let reset = request::accounts(ctx)
            .reset_password(&input.email, &input.code, input.new_password, &device)
            .await;
        CompletedPayload::of(reset)
    }

    /// Deletes your account: everything personal is removed, all devices are signed out. Orders stay, without a name.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        input: DeleteAccountInput,
    ) -> Result<CompletedPayload, ApiError> {
        let (caller, device) = (request::caller(ctx)?, request::device(ctx, None));
        let deleted = request::accounts(ctx)
            .delete_account(caller, input.password, &device)
            .await;
        CompletedPayload::of(deleted)
    }
}

/// The whole profile.
#[derive(Debug, InputObject)]
pub struct UpdateProfileInput {
    /// What to call you; null for nothing.
    pub name: Option<String>,
}

/// What changing the password takes.
#[derive(Debug, InputObject)]
pub struct ChangePasswordInput {
    /// The one you have.
    #[graphql(secret)]
    pub current_password: String,
    /// The one you want.
    #[graphql(secret)]
    pub new_password: String,
}

/// What asking for a new password takes.
#[derive(Debug, InputObject)]
pub struct RequestPasswordResetInput {
    /// The account's address.
    pub email: String,
}

/// What choosing a new password takes.
#[derive(Debug, InputObject)]
pub struct ResetPasswordInput {
    /// The account's address.
    pub email: String,
    /// The code from the mail: eight digits, good once, for ten minutes and five tries.
    #[graphql(secret)]
    pub code: String,
    /// The password you want.
    #[graphql(secret)]
    pub new_password: String,
}

/// What deleting an account takes.
#[derive(Debug, InputObject)]
pub struct DeleteAccountInput {
    /// The account's password; without one, sign in again within the last ten minutes.
    #[graphql(secret)]
    pub password: Option<String>,
}
