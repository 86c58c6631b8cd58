//! `Query`, and the entity `User`.

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_scope, require_user};
use fondaco_contracts::UserId;

use super::{
    request,
    types::{SecurityEvent, Session, User},
};
use crate::{access::ACCOUNT_ADMIN, user_loader::UserLoader};

const DEFAULT_EVENTS: i32 = 50;

/// Root of queries.
#[derive(Debug)]
pub struct Query;

#[Object]
impl Query {
    /// The signed-in user; null when signed out.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
        match caller(ctx).user_id() {
            Some(id) => load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The devices the user is signed in on, the one seen last first.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>, ApiError> {
        let caller = request::caller(ctx)?;
        let listed = request::fault(request::accounts(ctx).list_sessions(caller).await)?;
        let sessions = listed.into_iter();
        Ok(sessions
            .map(|record| Session::new(record, caller.session))
            .collect())
    }

    /// Names of the outside providers one can sign in with.
    async fn oidc_providers(&self, ctx: &Context<'_>) -> Vec<String> {
        request::outside(ctx).names()
    }

    /// The account of an e-mail address; for administrators.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn user_by_email(&self, ctx: &Context<'_>, email: String) -> Result<Option<User>, ApiError> {
        let caller = request::caller(ctx)?;
        let found = request::accounts(ctx).find_by_email(caller, &email).await;
        Ok(request::fault(found)?.map(User::from))
    }

    /// The latest security events, of one account or of all, at most 200; for administrators.
    #[graphql(
        requires_scopes = "account:admin",
        directive = authenticated::apply(),
        guard = "require_scope(ACCOUNT_ADMIN)"
    )]
    async fn security_events(
        &self,
        ctx: &Context<'_>,
        user_id: Option<UserId>,
        first: Option<i32>,
    ) -> Result<Vec<SecurityEvent>, ApiError> {
        let caller = request::caller(ctx)?;
        let first = i64::from(first.unwrap_or(DEFAULT_EVENTS));
        let events = request::accounts(ctx)
            .security_events(caller, user_id, first)
            .await;
        Ok(request::fault(events)?
            .into_iter()
            .map(SecurityEvent::from)
            .collect())
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, ctx: &Context<'_>, id: UserId) -> Result<Option<User>, ApiError> {
        load(ctx, id).await
    }
}

async fn load(ctx: &Context<'_>, id: UserId) -> Result<Option<User>, ApiError> {
    let loader = ctx.data_unchecked::<UserLoader>();
    Ok(loader.load(id).await?.map(User::from))
}
