//! The types of the auth subgraph.

use async_graphql::{ComplexObject, Context, SimpleObject};
use chrono::{DateTime, Utc};
use fondaco_chassis::caller;
use fondaco_contracts::{SessionId, UserId};

use crate::{
    access::Role,
    access_token::LIFETIME_SECONDS,
    account::SignedIn,
    audit::{EventKind, Recorded},
    session::SessionRecord,
    store::Account,
};

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
    #[graphql(skip)]
    email_verified: bool,
    #[graphql(skip)]
    scopes: Vec<String>,
    /// Just proven by password or token, although the request itself arrived without.
    #[graphql(skip)]
    is_caller: bool,
}

#[ComplexObject]
impl User {
    /// The address that signs in; null for anyone but the user, an admin, or a service.
    async fn email(&self, ctx: &Context<'_>) -> Option<&str> {
        self.is_shown_to(ctx).then_some(self.email.as_str())
    }

    /// Whether the address is proven; shown to whom the address is.
    async fn email_verified(&self, ctx: &Context<'_>) -> Option<bool> {
        self.is_shown_to(ctx).then_some(self.email_verified)
    }

    /// Rights beyond those of the roles; shown to whom the address is.
    async fn scopes(&self, ctx: &Context<'_>) -> Option<&[String]> {
        self.is_shown_to(ctx).then_some(self.scopes.as_slice())
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

    fn is_shown_to(&self, ctx: &Context<'_>) -> bool {
        let caller = caller(ctx);
        self.is_caller
            || caller.user_id() == Some(self.id)
            || caller.is_service()
            || caller.has_role(Role::Admin.name())
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
            email_verified: account.email_verified,
            scopes: account.scopes,
            is_caller: false,
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

impl From<SignedIn> for (User, AuthTokens) {
    fn from(signed_in: SignedIn) -> Self {
        let tokens = AuthTokens::new(signed_in.access_token, signed_in.refresh_token);
        (User::of_the_caller(signed_in.account), tokens)
    }
}

/// A device that is signed in.
#[derive(Clone, Debug, SimpleObject)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What the device was called when it signed in.
    pub device_name: Option<String>,
    /// The address it had at the last sign-in or refresh.
    pub address: Option<String>,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// The last sign-in or refresh.
    pub last_seen_at: DateTime<Utc>,
    /// Is it the one that asks?
    pub is_current: bool,
}

impl Session {
    /// How `current` sees a session.
    pub fn new(record: SessionRecord, current: Option<SessionId>) -> Self {
        let id = SessionId::from(record.id);
        Self {
            id,
            device_name: record.device_name,
            address: record.address,
            created_at: record.created_at,
            last_seen_at: record.last_seen_at,
            is_current: Some(id) == current,
        }
    }
}

/// Something that matters to the security of an account.
#[derive(Clone, Debug, SimpleObject)]
pub struct SecurityEvent {
    /// Its id.
    pub id: async_graphql::ID,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: EventKind,
    /// Whose account, if any.
    pub user_id: Option<UserId>,
    /// Who did it, where that is somebody else.
    pub actor_id: Option<UserId>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// From which client address.
    pub address: Option<String>,
    /// The role or scope, the provider's name, the number of sessions.
    pub detail: Option<String>,
}

impl From<Recorded> for SecurityEvent {
    fn from(event: Recorded) -> Self {
        Self {
            id: event.id.into(),
            at: event.at,
            kind: event.kind,
            user_id: event.user.map(UserId::from),
            actor_id: event.actor.map(UserId::from),
            session_id: event.session.map(SessionId::from),
            address: event.address,
            detail: event.detail,
        }
    }
}
