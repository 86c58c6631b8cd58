//! `Query`, and the entity `User`.

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, caller};
use fondaco_contracts::UserId;

use super::types::User;
use crate::user_loader::UserLoader;

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

    #[graphql(entity)]
    async fn find_user_by_id(&self, ctx: &Context<'_>, id: UserId) -> Result<Option<User>, ApiError> {
        load(ctx, id).await
    }
}

async fn load(ctx: &Context<'_>, id: UserId) -> Result<Option<User>, ApiError> {
    let loader = ctx.data_unchecked::<UserLoader>();
    Ok(loader.load(id).await?.map(User::from))
}
