//! How this service's errors look to its callers.

use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use crate::store::StoreError;

/// Why a purchase or a cancellation ends early.
#[derive(Debug)]
pub enum Stop {
    /// The customer can put it right; this becomes the stored answer.
    Rejected(UserError),
    /// The machinery failed; the same key may be tried again.
    Fault(ApiError),
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(fault: E) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<StoreError> for ApiError {
    fn from(StoreError(fault): StoreError) -> Self {
        fault.into()
    }
}
