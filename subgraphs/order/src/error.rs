//! How this service's errors look to its callers.

use fondaco_chassis::{ApiError, CallError};
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

impl From<ApiError> for Stop {
    fn from(fault: ApiError) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Stop {
    fn from(fault: StoreError) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<CallError> for Stop {
    fn from(fault: CallError) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<UserError> for Stop {
    fn from(error: UserError) -> Self {
        Self::Rejected(error)
    }
}

/// Where nothing can be put right: a query.
impl From<Stop> for ApiError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Rejected(error) => Self::BadUserInput(error.message),
            Stop::Fault(fault) => fault,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(StoreError(fault): StoreError) -> Self {
        fault.into()
    }
}
