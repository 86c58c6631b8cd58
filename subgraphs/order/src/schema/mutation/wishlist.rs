//! Changing the wishlist. Each change names the state it wants, so that repeating it changes nothing.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller, federation::authenticated, require_user};
use fondaco_contracts::{Sku, UserError, UserId};

use crate::{
    error::Stop,
    lines::{Demand, Origin},
    schema::types::Wishlist,
    wishlist::Wishlists,
};

/// A variant on the wishlist.
#[derive(InputObject)]
struct WishlistItemInput {
    /// Which.
    sku: Sku,
    /// How many: 1 to 1000.
    #[graphql(default = 1)]
    quantity: i32,
}

/// A variant that is to leave the wishlist.
#[derive(InputObject)]
struct RemoveFromWishlistInput {
    /// Which.
    sku: Sku,
}

/// The wishlist, or why it stays as it was.
#[derive(SimpleObject)]
struct WishlistPayload {
    wishlist: Option<Wishlist>,
    user_errors: Vec<UserError>,
}

/// Changing the wishlist.
#[derive(Default)]
pub struct WishlistMutation;

#[Object]
impl WishlistMutation {
    /// Puts a variant on the caller's wishlist; one that is there gets the new quantity.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn add_to_wishlist(
        &self,
        ctx: &Context<'_>,
        input: WishlistItemInput,
    ) -> Result<WishlistPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let changed = wishlists(ctx).put(customer, &input.into()).await;
        answer(ctx, customer, changed).await
    }

    /// Changes how many of a variant are on the caller's wishlist.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn update_wishlist_item(
        &self,
        ctx: &Context<'_>,
        input: WishlistItemInput,
    ) -> Result<WishlistPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let changed = wishlists(ctx).update(customer, &input.into()).await;
        answer(ctx, customer, changed).await
    }

    /// Takes a variant off the caller's wishlist.
    #[graphql(directive = authenticated::apply(), guard = "require_user()")]
    async fn remove_from_wishlist(
        &self,
        ctx: &Context<'_>,
        input: RemoveFromWishlistInput,
    ) -> Result<WishlistPayload, ApiError> {
        let customer = caller(ctx).require_user()?;
        let changed = wishlists(ctx).remove(customer, &input.sku).await;
        answer(ctx, customer, changed).await
    }
}

fn wishlists<'a>(ctx: &Context<'a>) -> &'a Wishlists {
    ctx.data_unchecked::<Wishlists>()
}

async fn answer(
    ctx: &Context<'_>,
    customer: UserId,
    changed: Result<(), Stop>,
) -> Result<WishlistPayload, ApiError> {
    match changed {
        Ok(()) => Ok(WishlistPayload {
            wishlist: Some(Wishlist::of(wishlists(ctx), customer).await?),
            user_errors: vec![],
        }),
        Err(Stop::Rejected(error)) => Ok(WishlistPayload {
            wishlist: None,
            user_errors: vec![error],
        }),
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

impl From<WishlistItemInput> for Demand {
    fn from(input: WishlistItemInput) -> Self {
        Self {
            sku: input.sku,
            quantity: input.quantity,
            origin: Origin::Wishlist,
        }
    }
}
