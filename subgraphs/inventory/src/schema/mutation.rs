//! Mutations of merchants: adjusting stock.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use fondaco_chassis::{ApiError, caller, require_scope};
use fondaco_contracts::{ErrorCode, Sku, UserError, UserId, sku::InvalidSku};

use super::types::{StockLevel, WRITE_SCOPE};
use crate::{
    inventory::Inventory,
    store::adjust::{AdjustError, Adjustment},
};

const MAX_REASON: usize = 500;
const MAX_KEY: usize = 200;

/// A change to the total of a SKU.
#[derive(Clone, Debug, InputObject)]
pub struct AdjustStockInput {
    /// Which; one that has no stock yet gets some.
    sku: ID,
    /// Units added, or taken away when negative; not zero.
    delta: i32,
    /// Why, for the records.
    reason: String,
    /// Chosen by the caller, 1 to 200 characters: a repeat with the same key is the same adjustment.
    idempotency_key: String,
}

/// What became of `adjustStock`.
#[derive(SimpleObject)]
pub struct AdjustStockPayload {
    /// The stock after the adjustment; absent when there are errors.
    stock: Option<StockLevel>,
    /// What to put right.
    user_errors: Vec<UserError>,
}

/// What merchants do.
#[derive(Default)]
pub struct AdjustMutation;

#[Object]
impl AdjustMutation {
    /// Adds to the total of a SKU, or takes from it; never below what is sold or held.
    #[graphql(requires_scopes = "inventory:write", guard = "require_scope(WRITE_SCOPE)")]
    async fn adjust_stock(
        &self,
        ctx: &Context<'_>,
        input: AdjustStockInput,
    ) -> Result<AdjustStockPayload, ApiError> {
        let actor = caller(ctx).require_user()?;
        let wanted = match check(input, actor) {
            Ok(wanted) => wanted,
            Err(user_errors) => {
                return Ok(AdjustStockPayload {
                    stock: None,
                    user_errors,
                });
            }
        };
        match ctx.data_unchecked::<Inventory>().adjust(&wanted).await? {
            Ok(stock) => Ok(AdjustStockPayload {
                stock: Some(StockLevel(stock)),
                user_errors: Vec::new(),
            }),
            Err(refusal) => Ok(AdjustStockPayload {
                stock: None,
                user_errors: vec![user_error(refusal)?],
            }),
        }
    }
}

fn check(input: AdjustStockInput, actor: UserId) -> Result<Adjustment, Vec<UserError>> {
    let mut errors = Vec::new();
    let mut invalid =
        |field: &str, message: String| errors.push(UserError::on(field, ErrorCode::InvalidInput, message));
    let sku = Sku::try_from(input.sku.0);
    if sku.is_err() {
        invalid("sku", InvalidSku.to_string());
    }
    if input.delta == 0 {
        invalid("delta", "a change is not zero".to_owned());
    }
    if !is_text(&input.reason, MAX_REASON) {
        invalid("reason", format!("must have 1 to {MAX_REASON} characters"));
    }
    if !is_text(&input.idempotency_key, MAX_KEY) {
        invalid("idempotencyKey", format!("must have 1 to {MAX_KEY} characters"));
    }
    match sku {
        Ok(sku) if errors.is_empty() => Ok(Adjustment {
            idempotency_key: input.idempotency_key,
            actor,
            sku,
            delta: i64::from(input.delta),
            reason: input.reason,
        }),
        _ => Err(errors),
    }
}

fn is_text(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.contains('\0')
}

fn user_error(refusal: AdjustError) -> Result<UserError, ApiError> {
    let message = refusal.to_string();
    let (field, code) = match refusal {
        AdjustError::KeyReused => ("idempotencyKey", ErrorCode::IdempotencyKeyReused),
        AdjustError::UnknownSku => ("sku", ErrorCode::UnknownSku),
        AdjustError::BelowCommitted(_) | AdjustError::TooMuch => ("delta", ErrorCode::InvalidInput),
        AdjustError::Database(error) => return Err(error.into()),
    };
    Ok(UserError::on(field, code, message))
}
