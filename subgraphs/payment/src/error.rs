//! How this service's errors look to its callers.

use fondaco_chassis::ApiError;

use crate::{charge::ChargeError, store::StoreError};

impl From<StoreError> for ApiError {
    fn from(StoreError(fault): StoreError) -> Self {
        fault
    }
}

impl From<ChargeError> for ApiError {
    fn from(error: ChargeError) -> Self {
        match error {
            ChargeError::ParametersDiffer | ChargeError::RefundExceedsCharge => {
                Self::BadUserInput(error.to_string())
            }
            ChargeError::Store(fault) => fault.into(),
        }
    }
}
