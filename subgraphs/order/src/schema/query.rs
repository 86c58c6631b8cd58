//! Queries.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};
use fondaco_contracts::{OrderId, UserId};

use super::{
    connection::{self, OrderConnection, Span},
    entity::{User, may_see},
    loaders::OrderLoader,
    types::{Order, Wishlist},
};
use crate::{order::Status, wishlist::Wishlists};

/// Which orders to list.
#[derive(InputObject)]
struct OrderFilter {
    /// Those that are in one of these states; all where there are none.
    status: Option<Vec<Status>>,
}

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

    /// The caller's orders, drafts among them, newest first: the `first` 0 to 100, else 20, or the `last`.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<OrderFilter>,
    ) -> Result<OrderConnection, ApiError> {
        let customer = caller(ctx).require_user()?;
        let statuses = filter.and_then(|filter| filter.status).unwrap_or_default();
        let span = Span {
            first,
            after,
            last,
            before,
        };
        connection::orders(ctx, customer, &statuses, span).await
    }

    /// What the caller keeps for later.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn wishlist(&self, ctx: &Context<'_>) -> Result<Wishlist, ApiError> {
        let customer = caller(ctx).require_user()?;
        Wishlist::of(ctx.data_unchecked::<Wishlists>(), customer).await
    }
}

async fn visible_order(ctx: &Context<'_>, id: OrderId) -> Result<Option<Order>, ApiError> {
    let loader = ctx.data_unchecked::<OrderLoader>();
    let order = loader.try_load(id).await.map_err(ApiError::internal)??;
    Ok(order
        .filter(|whole| may_see(caller(ctx), whole.order.customer))
        .map(|whole| Arc::unwrap_or_clone(whole).into()))
}
