//! Queries.

use async_graphql::{Context, Object};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};
use fondaco_contracts::{OrderId, UserId};

use super::{
    connection::{self, OrderConnection},
    entity::{User, may_see},
    loaders::OrderLoader,
    types::Order,
};
use crate::store::Store;

/// The query root.
pub struct Query;

#[Object]
impl Query {
    #[graphql(entity)]
    async fn order_by_id(&self, ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>, ApiError> {
        visible_order(ctx, id).await
    }

    #[graphql(entity)]
    async fn user_by_id(&self, id: UserId) -> User {
        User { id }
    }

    /// One of the caller's orders.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn order(&self, ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>, ApiError> {
        visible_order(ctx, id).await
    }

    /// The caller's orders, newest first. `first`: 0 to 100, else 20.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<OrderConnection, ApiError> {
        let customer = caller(ctx).require_user()?;
        connection::orders(ctx.data_unchecked::<Store>(), customer, first, after).await
    }
}

async fn visible_order(ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>, ApiError> {
    let loader = ctx.data_unchecked::<OrderLoader>();
    let order = loader.try_load(id).await.map_err(ApiError::internal)??;
    Ok(order
        .filter(|order| may_see(caller(ctx), order.customer))
        .map(Order))
}
