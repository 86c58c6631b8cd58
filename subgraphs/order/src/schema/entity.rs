//! What this subgraph adds to entities of others, and who may see what.

use async_graphql::{ComplexObject, Context, SimpleObject};
use fondaco_chassis::{ApiError, Caller, caller};
use fondaco_contracts::UserId;

use super::connection::{self, OrderConnection, Span};

/// An account.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// Its id.
    pub id: UserId,
}

#[ComplexObject]
impl User {
    /// The user's orders, newest first; empty for anyone but the user.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<OrderConnection, ApiError> {
        if !may_see(caller(ctx), self.id) {
            return Ok(connection::empty());
        }
        let span = Span {
            first,
            after,
            last,
            before,
        };
        connection::orders(ctx, self.id, &[], span).await
    }
}

/// May `caller` see what belongs to `owner`?
pub fn may_see(caller: &Caller, owner: UserId) -> bool {
    caller.user_id() == Some(owner) || caller.has_scope("order:read:any") || caller.is_service()
}
