//! `Mutation`, one file a theme: signing up, in and out, the account itself, rights, and outside providers.

use async_graphql::{MergedObject, SimpleObject};
use fondaco_chassis::ApiError;
use fondaco_contracts::UserError;

use super::{request, types::User};
use crate::{account::Refused, store::Account};

pub mod access;
pub mod account;
pub mod outside;
pub mod sessions;
pub mod sign_in;
pub mod sign_up;

/// The mutation root.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    sign_up::SignUpMutation,
    sign_in::SignInMutation,
    sessions::SessionsMutation,
    account::AccountMutation,
    access::AccessMutation,
    outside::OutsideMutation,
);

/// The outcome of changing an account.
#[derive(Debug, SimpleObject)]
pub struct AccountPayload {
    /// The account as it is now.
    pub user: Option<User>,
    /// Why nothing was changed.
    pub user_errors: Vec<UserError>,
}

/// The outcome of what has no result but being done.
#[derive(Debug, SimpleObject)]
pub struct CompletedPayload {
    /// Why it was not done; empty where it was.
    pub user_errors: Vec<UserError>,
}

impl AccountPayload {
    fn of(outcome: Result<Account, Refused>, show: fn(Account) -> User) -> Result<Self, ApiError> {
        let (account, user_errors) = request::payload(outcome)?;
        Ok(Self {
            user: account.map(show),
            user_errors,
        })
    }
}

impl CompletedPayload {
    fn of(outcome: Result<(), Refused>) -> Result<Self, ApiError> {
        let (_, user_errors) = request::payload(outcome)?;
        Ok(Self { user_errors })
    }
}
