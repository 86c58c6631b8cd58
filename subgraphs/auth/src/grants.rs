//! Granting roles and scopes, and taking them away. Fewer rights take effect at once: the sessions whose tokens still say more are ended. More
//! rights come with the next sign-in or refresh.

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, UserError, UserId};

use crate::{
    access::{Role, is_scope},
    account::{Accounts, Refused, SignedInCaller},
    audit::{Event, EventKind, Recorded},
    email::Email,
    store::{Account, Grants},
};

const MAX_EVENTS: i64 = 200;

/// Something granted or taken away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Right {
    /// A role.
    Role(Role),
    /// A scope.
    Scope(String),
}

impl Right {
    fn parts(&self) -> (Grants, &str) {
        match self {
            Self::Role(role) => (Grants::Roles, role.name()),
            Self::Scope(scope) => (Grants::Scopes, scope),
        }
    }

    fn check(&self) -> Result<(), UserError> {
        match self {
            Self::Scope(scope) if !is_scope(scope) => {
                let message = "a scope is lower-case words joined by colons, such as product:write";
                Err(UserError::on("scope", ErrorCode::InvalidInput, message))
            }
            Self::Role(_) | Self::Scope(_) => Ok(()),
        }
    }
}

impl Accounts {
    /// Grants a right.
    pub async fn grant(
        &self,
        caller: SignedInCaller,
        user: UserId,
        right: &Right,
    ) -> Result<Account, Refused> {
        self.require_admin(caller).await?;
        right.check()?;
        let (list, value) = right.parts();
        let kind = match right {
            Right::Role(_) => EventKind::RoleGranted,
            Right::Scope(_) => EventKind::ScopeGranted,
        };
        let event = event(kind, caller, user, value);
        self.store.grant(user, list, value, event).await?;
        self.existing(user).await
    }

    /// Takes a right away, and ends the sessions that have it in their tokens.
    pub async fn revoke(
        &self,
        caller: SignedInCaller,
        user: UserId,
        right: &Right,
    ) -> Result<Account, Refused> {
        self.require_admin(caller).await?;
        right.check()?;
        let (list, value) = right.parts();
        let kind = match right {
            Right::Role(_) => EventKind::RoleRevoked,
            Right::Scope(_) => EventKind::ScopeRevoked,
        };
        let event = event(kind, caller, user, value);
        let ended = self.store.revoke(user, list, value, event).await?;
        self.sessions.revocations.announce(&ended).await;
        let account = self.existing(user).await?;
        if *right == Right::Role(Role::Admin) && account.roles.iter().any(|role| role == value) {
            let message = "the last administrator stays one: grant the role to somebody else first";
            return Err(UserError::new(ErrorCode::LastAdmin, message).into());
        }
        Ok(account)
    }

    /// The account of an address, for administrators.
    pub async fn find_by_email(
        &self,
        caller: SignedInCaller,
        email: &str,
    ) -> Result<Option<Account>, Refused> {
        self.require_admin(caller).await?;
        match Email::parse(email) {
            Ok(email) => Ok(self.store.by_email(&email).await?),
            Err(_) => Ok(None),
        }
    }

    /// The latest security events, for administrators.
    pub async fn security_events(
        &self,
        caller: SignedInCaller,
        user: Option<UserId>,
        count: i64,
    ) -> Result<Vec<Recorded>, Refused> {
        self.require_admin(caller).await?;
        Ok(self.audit.latest(user, count.clamp(0, MAX_EVENTS)).await?)
    }

    /// Asks the database, not the token: rights to grant rights end with the role.
    async fn require_admin(&self, caller: SignedInCaller) -> Result<(), Refused> {
        let account = self.require(caller.user).await?;
        if account.roles.iter().any(|role| role == Role::Admin.name()) {
            Ok(())
        } else {
            Err(ApiError::Forbidden.into())
        }
    }

    async fn existing(&self, user: UserId) -> Result<Account, Refused> {
        let account = self.store.by_id(user).await?;
        account.ok_or_else(|| Refused::on("userId", ErrorCode::NotFound, "no such account"))
    }
}

fn event(kind: EventKind, caller: SignedInCaller, user: UserId, detail: &str) -> Event<'_> {
    Event::new(kind)
        .of(user)
        .by(caller.user)
        .in_session(caller.session)
        .detail(detail)
}
