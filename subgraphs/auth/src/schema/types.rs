//! The types of the auth subgraph.

use async_graphql::{ComplexObject, Context, Enum, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::caller;
use fondaco_contracts::UserId;

use crate::{access_token::LIFETIME_SECONDS, store::Account};

/// An account.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What to call the person.
    pub name: Option<String>,
    /// What the account may be.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    email: String,
    /// Just proven by password or token, although the request itself arrived without.
    #[graphql(skip)]
    is_caller: bool,
}

#[ComplexObject]
impl User {
    /// The address that signs in; null for anyone but the user, an admin, or a service.
    async fn email(&self, ctx: &Context<'_>) -> Option<&str> {
        let caller = caller(ctx);
        let may_see = self.is_caller
            || caller.user_id() == Some(self.id)
            || caller.is_service()
            || caller.has_role("admin");
        may_see.then_some(self.email.as_str())
    }
}

impl User {
    /// The account of the one who has just signed in.
    pub fn of_the_caller(account: Account) -> Self {
        Self {
            is_caller: true,
            ..Self::from(account)
        }
    }
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            roles: account
                .roles
                .iter()
                .filter_map(|role| Role::from_name(role))
                .collect(),
            created_at: account.created_at,
            email: account.email,
            is_caller: false,
        }
    }
}

/// What an account may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum Role {
    /// Buys.
    Customer,
    /// Sells: writes products and stock.
    Merchant,
    /// Runs the platform.
    Admin,
}

impl Role {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "customer" => Some(Self::Customer),
            "merchant" => Some(Self::Merchant),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }
}

/// The tokens of a session.
#[derive(Clone, Debug, SimpleObject)]
pub struct AuthTokens {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// For `refreshToken`, once.
    pub refresh_token: String,
    /// `Bearer`
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i32,
}

impl AuthTokens {
    /// Fresh tokens.
    pub fn new(access_token: String, refresh_token: String) -> Self {
        let expires_in = i32::try_from(LIFETIME_SECONDS).expect("an hour fits");
        Self {
            access_token,
            refresh_token,
            token_type: "Bearer".to_owned(),
            expires_in,
        }
    }
}
