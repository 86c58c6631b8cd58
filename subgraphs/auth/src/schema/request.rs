//! What resolvers take from a request, and how outcomes become payloads.

use async_graphql::Context;
use fondaco_chassis::{ApiError, Caller, client_address};
use fondaco_contracts::UserError;

use crate::{
    account::{Accounts, Refused, SignedInCaller},
    outside_sign_in::OutsideSignIn,
    session::Device,
};

/// The account rules.
pub fn accounts<'a>(ctx: &Context<'a>) -> &'a Accounts {
    ctx.data_unchecked::<Accounts>()
}

/// The rules of outside providers.
pub fn outside<'a>(ctx: &Context<'a>) -> &'a OutsideSignIn {
    ctx.data_unchecked::<OutsideSignIn>()
}

/// The signed-in caller, or `UNAUTHENTICATED`.
pub fn caller(ctx: &Context<'_>) -> Result<SignedInCaller, ApiError> {
    match fondaco_chassis::caller(ctx) {
        Caller::User { id, session, .. } => Ok(SignedInCaller {
            user: *id,
            session: *session,
        }),
        Caller::Anonymous | Caller::Service { .. } => Err(ApiError::Unauthenticated),
    }
}

/// The device that calls, under the name it gives itself.
pub fn device(ctx: &Context<'_>, name: Option<&str>) -> Device {
    Device::new(name, client_address(ctx))
}

/// Splits an outcome into what a payload shows: a value, or user errors. Faults stay errors.
pub fn payload<T>(outcome: Result<T, Refused>) -> Result<(Option<T>, Vec<UserError>), ApiError> {
    match outcome {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(Refused::ByUser(errors)) => Ok((None, errors)),
        Err(Refused::ByFault(fault)) => Err(fault),
    }
}

/// The outcome of a query, which has no payload to show user errors in.
pub fn fault<T>(outcome: Result<T, Refused>) -> Result<T, ApiError> {
    outcome.map_err(|refused| match refused {
        Refused::ByFault(fault) => fault,
        Refused::ByUser(errors) => {
            let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            ApiError::BadUserInput(messages.join("; "))
        }
    })
}
