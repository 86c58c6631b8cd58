//! Who calls, and the guards that fields put before themselves.

use std::net::IpAddr;

use async_graphql::{Context, Guard};
use fondaco_contracts::{SessionId, UserId};
use http::HeaderMap;

use crate::{
    error::ApiError,
    identity::{CALLER_HEADER, Identity, InvalidCaller},
};

/// The caller of a request, in every resolver's context: see [`caller`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Nobody has signed in.
    Anonymous,
    /// A signed-in user, by way of the router.
    User {
        /// The account.
        id: UserId,
        /// The device's session.
        session: Option<SessionId>,
        /// `customer`, `merchant`, `admin`.
        roles: Vec<String>,
        /// Such as `product:write`.
        scopes: Vec<String>,
    },
    /// Another service, on its own behalf.
    Service {
        /// Its name.
        name: String,
    },
}

/// The address of the client, in every resolver's context; `None` where the router does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientAddress(pub Option<IpAddr>);

impl Caller {
    /// Who the headers of a call to `audience` prove, and the address of the client; anonymous without the header.
    pub fn from_headers(
        headers: &HeaderMap,
        identity: &Identity,
        audience: &str,
    ) -> Result<(Self, ClientAddress), InvalidCaller> {
        let mut values = headers.get_all(CALLER_HEADER).iter();
        let Some(value) = values.next() else {
            return Ok((Self::Anonymous, ClientAddress(None)));
        };
        if values.next().is_some() {
            return Err(InvalidCaller::Header);
        }
        let token = value.to_str().map_err(|_| InvalidCaller::Header)?;
        let claims = identity.open(token, audience)?;
        let address = ClientAddress(claims.addr);
        Ok((Self::from(claims), address))
    }

    /// The signed-in user's id.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Anonymous | Self::Service { .. } => None,
        }
    }

    /// Is this another service?
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service { .. })
    }

    /// Is this a user with `role`?
    pub fn has_role(&self, role: &str) -> bool {
        matches!(self, Self::User { roles, .. } if roles.iter().any(|one| one == role))
    }

    /// Is this a user with `scope`?
    pub fn has_scope(&self, scope: &str) -> bool {
        matches!(self, Self::User { scopes, .. } if scopes.iter().any(|one| one == scope))
    }

    /// The signed-in user's id, or `UNAUTHENTICATED`.
    pub fn require_user(&self) -> Result<UserId, ApiError> {
        self.user_id().ok_or(ApiError::Unauthenticated)
    }

    /// `UNAUTHENTICATED` without a user, `FORBIDDEN` for a user without `scope`.
    pub fn require_scope(&self, scope: &str) -> Result<UserId, ApiError> {
        let user = self.require_user()?;
        if self.has_scope(scope) {
            Ok(user)
        } else {
            Err(ApiError::Forbidden)
        }
    }

    /// `FORBIDDEN` for anyone but another service.
    pub fn require_service(&self) -> Result<(), ApiError> {
        if self.is_service() {
            Ok(())
        } else {
            Err(ApiError::Forbidden)
        }
    }
}

/// The caller of the request that `ctx` belongs to.
pub fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    ctx.data_opt::<Caller>().unwrap_or(&Caller::Anonymous)
}

/// The address of the client whose request `ctx` belongs to.
pub fn client_address(ctx: &Context<'_>) -> Option<IpAddr> {
    ctx.data_opt::<ClientAddress>().and_then(|address| address.0)
}

/// Guard: a signed-in user.
pub fn require_user() -> impl Guard {
    |ctx: &Context<'_>| Ok(caller(ctx).require_user().map(drop)?)
}

/// Guard: a signed-in user with `scope`.
pub fn require_scope(scope: &'static str) -> impl Guard {
    move |ctx: &Context<'_>| Ok(caller(ctx).require_scope(scope).map(drop)?)
}

/// Guard: another service. Put it before every `@inaccessible` field.
pub fn require_service() -> impl Guard {
    |ctx: &Context<'_>| Ok(caller(ctx).require_service()?)
}
