//! Mutations, a file each: buying, drafts, what happens to orders afterwards, wishlists.

mod after_sale;
mod draft;
mod purchase;
mod wishlist;

use async_graphql::MergedObject;

/// The mutation root.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    purchase::PurchaseMutation,
    draft::DraftMutation,
    after_sale::AfterSaleMutation,
    wishlist::WishlistMutation,
);
