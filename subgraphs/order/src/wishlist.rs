//! Wishlists: variants kept for later, and bought all at once by `purchase`.

use fondaco_contracts::{ErrorCode, Sku, UserError, UserId};

use crate::{
    error::Stop,
    lines::{self, Demand, MAX_LINES},
    peers::product::Catalogue,
    store::{Store, WishlistItem},
};

/// Changes wishlists.
#[derive(Clone)]
pub struct Wishlists {
    store: Store,
    catalogue: Catalogue,
}

impl Wishlists {
    /// With what is needed.
    pub fn new(store: Store, catalogue: Catalogue) -> Self {
        Self { store, catalogue }
    }

    /// The wishlist of `customer`.
    pub async fn items(&self, customer: UserId) -> Result<Vec<WishlistItem>, Stop> {
        Ok(self.store.wishlist(customer).await?)
    }

    /// Puts so many of a variant on the wishlist, instead of what is there of it.
    pub async fn put(&self, customer: UserId, wanted: &Demand) -> Result<(), Stop> {
        lines::check_quantity(|| "quantity".to_owned(), wanted.quantity)?;
        let variants = self.catalogue.variants(std::slice::from_ref(&wanted.sku)).await?;
        if variants.into_iter().flatten().next().is_none() {
            let message = format!("there is no variant {}", wanted.sku);
            return Err(UserError::on("sku", ErrorCode::UnknownSku, message).into());
        }
        let limit = MAX_LINES as i64;
        let put = self
            .store
            .put_on_wishlist(customer, &wanted.sku, wanted.quantity, limit)
            .await?;
        if put {
            return Ok(());
        }
        let message = "a wishlist has at most 50 variants";
        Err(UserError::on("sku", ErrorCode::LimitExceeded, message).into())
    }

    /// Changes how many of a variant are on the wishlist.
    pub async fn update(&self, customer: UserId, wanted: &Demand) -> Result<(), Stop> {
        lines::check_quantity(|| "quantity".to_owned(), wanted.quantity)?;
        let updated = self
            .store
            .update_wishlist(customer, &wanted.sku, wanted.quantity)
            .await?;
        updated.then_some(()).ok_or_else(|| not_on_it().into())
    }

    /// Takes a variant off the wishlist.
    pub async fn remove(&self, customer: UserId, sku: &Sku) -> Result<(), Stop> {
        let removed = self.store.remove_from_wishlist(customer, sku).await?;
        removed.then_some(()).ok_or_else(|| not_on_it().into())
    }
}

fn not_on_it() -> UserError {
    UserError::on("sku", ErrorCode::NotFound, "this variant is not on the wishlist")
}
