//! Granting roles and scopes, for administrators.

use async_graphql::{Context, InputObject, Object};
use fondaco_chassis::{ApiError, federation::authenticated, require_scope};
use fondaco_contracts::UserId;

use super::{AccountPayload, request};
use crate::{
    access::{ACCOUNT_ADMIN, Role},
    grants::Right,
    schema::types::User,
};

/// The mutations of rights. Fewer rights take effect at once, more with the next sign-in or refresh.
#[derive(Debug, Default)]
pub struct AccessMutation;

#[Object]
impl AccessMutation {
    /// Grants a role.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn grant_role(&self, ctx: &Context<'_>, input: RoleInput) -> Result<AccountPayload, ApiError> {
        grant(ctx, input.user_id, Right::Role(input.role)).await
    }

    /// Takes a role away and signs the account out.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn revoke_role(&self, ctx: &Context<'_>, input: RoleInput) -> Result<AccountPayload, ApiError> {
        revoke(ctx, input.user_id, Right::Role(input.role)).await
    }

    /// Grants a scope.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn grant_scope(&self, ctx: &Context<'_>, input: ScopeInput) -> Result<AccountPayload, ApiError> {
        grant(ctx, input.user_id, Right::Scope(input.scope)).await
    }

    /// Takes a scope away and signs the account out.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn revoke_scope(&self, ctx: &Context<'_>, input: ScopeInput) -> Result<AccountPayload, ApiError> {
        revoke(ctx, input.user_id, Right::Scope(input.scope)).await
    }
}

/// A role and whose.
#[derive(Debug, InputObject)]
pub struct RoleInput {
    /// The account.
    pub user_id: UserId,
    /// The role.
    pub role: Role,
}

/// A scope and whose.
#[derive(Debug, InputObject)]
pub struct ScopeInput {
    /// The account.
    pub user_id: UserId,
    /// Words joined by colons, such as `product:write`.
    pub scope: String,
}

async fn grant(ctx: &Context<'_>, user: UserId, right: Right) -> Result<AccountPayload, ApiError> {
    let caller = request::caller(ctx)?;
    let granted = request::accounts(ctx).grant(caller, user, &right).await;
    AccountPayload::of(granted, User::from)
}

async fn revoke(ctx: &Context<'_>, user: UserId, right: Right) -> Result<AccountPayload, ApiError> {
    let caller = request::caller(ctx)?;
    let revoked = request::accounts(ctx).revoke(caller, user, &right).await;
    AccountPayload::of(revoked, User::from)
}
