//! Mutations: what merchants do to the catalogue.

use async_graphql::{Context, Object, SimpleObject};
use chrono::Utc;
use fondaco_chassis::{ApiError, require_scope};
use fondaco_contracts::{ErrorCode, Sku, UserError};

use super::types::WRITE_SCOPE;
use crate::{
    catalogue::Catalogue,
    draft::{CreateProductInput, UpdateProductInput},
    error::WriteError,
    product::Product,
    store::Store,
};

/// What became of `createProduct`.
#[derive(SimpleObject)]
pub struct CreateProductPayload {
    /// The new product; absent when there are errors.
    product: Option<Product>,
    /// What to put right.
    user_errors: Vec<UserError>,
}

/// What became of `updateProduct`.
#[derive(SimpleObject)]
pub struct UpdateProductPayload {
    /// The changed product; absent when there are errors.
    product: Option<Product>,
    /// What to put right.
    user_errors: Vec<UserError>,
}

/// The root of mutations.
pub struct Mutation;

#[Object]
impl Mutation {
    /// Adds a product with its variants.
    #[graphql(requires_scopes = "product:write", guard = "require_scope(WRITE_SCOPE)")]
    async fn create_product(
        &self,
        ctx: &Context<'_>,
        input: CreateProductInput,
    ) -> Result<CreateProductPayload, ApiError> {
        let skus = input
            .variants
            .iter()
            .map(|variant| variant.sku.to_string())
            .collect();
        let draft = match input.check() {
            Ok(draft) => draft,
            Err(user_errors) => {
                return Ok(CreateProductPayload {
                    product: None,
                    user_errors,
                });
            }
        };
        let written = ctx.data_unchecked::<Store>().create(&draft, Utc::now()).await;
        ctx.data_unchecked::<Catalogue>().changed();
        let (product, user_errors) = outcome(written, skus)?;
        Ok(CreateProductPayload { product, user_errors })
    }

    /// Changes a product: what the input leaves out stays.
    #[graphql(requires_scopes = "product:write", guard = "require_scope(WRITE_SCOPE)")]
    async fn update_product(
        &self,
        ctx: &Context<'_>,
        input: UpdateProductInput,
    ) -> Result<UpdateProductPayload, ApiError> {
        let variants = input.variants.iter().flatten();
        let skus = variants.map(|variant| variant.sku.to_string()).collect();
        let id = input.id.parse();
        let changes = match input.check() {
            Ok(changes) => changes,
            Err(user_errors) => {
                return Ok(UpdateProductPayload {
                    product: None,
                    user_errors,
                });
            }
        };
        let written = match id {
            Ok(id) => ctx.data_unchecked::<Store>().update(id, &changes).await,
            Err(_) => Err(WriteError::NotFound),
        };
        ctx.data_unchecked::<Catalogue>().changed();
        let (product, user_errors) = outcome(written, skus)?;
        Ok(UpdateProductPayload { product, user_errors })
    }
}

/// What the merchant can put right becomes a user error; the rest is a fault.
fn outcome(
    written: Result<Product, WriteError>,
    skus: Vec<String>,
) -> Result<(Option<Product>, Vec<UserError>), ApiError> {
    let error = match written {
        Ok(product) => return Ok((Some(product), Vec::new())),
        Err(error) => error,
    };
    let message = error.to_string();
    let user_error = match error {
        WriteError::SlugTaken => UserError::on("slug", ErrorCode::SlugTaken, message),
        WriteError::SkuTaken(sku) => UserError::on(sku_field(&skus, &sku), ErrorCode::InvalidInput, message),
        WriteError::NotFound => UserError::on("id", ErrorCode::NotFound, message),
        WriteError::MixedCurrencies => UserError::on("variants", ErrorCode::InvalidInput, message),
        WriteError::Database(error) => return Err(error.into()),
    };
    Ok((None, vec![user_error]))
}

fn sku_field(skus: &[String], sku: &Sku) -> String {
    match skus.iter().position(|given| given == sku.as_str()) {
        Some(index) => format!("variants.{index}.sku"),
        None => "variants".to_owned(),
    }
}
