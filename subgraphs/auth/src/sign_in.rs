//! Signing in with a password, going on with a refresh token, and signing out.

use fondaco_contracts::{ErrorCode, SessionId, UserError};

use crate::{
    account::{Accounts, Refused, SignedIn, SignedInCaller, invalid_credentials},
    audit::{Event, EventKind},
    config::EmailVerification,
    email::Email,
    password::Passwords,
    rate_limit::Action,
    refresh_token::Refreshed,
    session::{Device, Proof, SessionRecord, Which},
};

impl Accounts {
    /// Signs in. Unknown addresses and wrong passwords get the same answer after the same work.
    pub async fn sign_in(&self, email: &str, password: String, device: &Device) -> Result<SignedIn, Refused> {
        let parsed = Email::parse(email).ok();
        let counted = parsed.as_ref().map_or("", Email::as_str);
        self.limits
            .admit(Action::SignIn, Some(counted), device.address)
            .await?;
        let account = match &parsed {
            Some(email) => self.store.by_email(email).await?,
            None => None,
        };
        let user = account.as_ref().map(|account| account.id);
        // The nil id has no account: the statement runs either way.
        let stored = self
            .store
            .password_hash(user.unwrap_or_else(|| uuid::Uuid::nil().into()))
            .await?;
        let is_possible = Passwords::is_possible(&password);
        let password = if is_possible { password } else { String::new() };
        let verified = self.passwords.verify(password, stored.clone()).await? && is_possible;
        match account.filter(|_| verified) {
            None => {
                let event = Event::new(EventKind::SignInFailed).from(device.address);
                let event = user.map_or(event, |user| event.of(user));
                self.audit.record(event).await?;
                Err(invalid_credentials())
            }
            Some(account) if !account.email_verified && self.verification == EmailVerification::Required => {
                Err(Refused::on(
                    "email",
                    ErrorCode::EmailNotVerified,
                    "confirm the e-mail address first: ask for a code with sendEmailVerification",
                ))
            }
            Some(account) => {
                self.limits.forgive(Action::SignIn, counted).await;
                let proof = Proof::Password(stored.as_deref().unwrap_or_default());
                self.begin_session(account.id, proof, device).await
            }
        }
    }

    /// Swaps a refresh token for new tokens, with the account's roles and scopes of now.
    pub async fn refresh(&self, token: &str, device: &Device) -> Result<SignedIn, Refused> {
        self.limits
            .admit(Action::PresentToken, None, device.address)
            .await?;
        match self.sessions.refresh(token, device).await? {
            Refreshed::Continued(continued) => {
                let account = self.store.by_id(continued.user).await?;
                self.signed_in(account.ok_or_else(invalid_refresh_token)?, continued)
            }
            Refreshed::Refused => Err(invalid_refresh_token()),
            Refreshed::Reused { user, session } => {
                let event = Event::new(EventKind::RefreshTokenReused)
                    .of(user)
                    .in_session(Some(session))
                    .from(device.address);
                self.audit.record(event).await?;
                Err(invalid_refresh_token())
            }
        }
    }

    /// The caller's sessions.
    pub async fn list_sessions(&self, caller: SignedInCaller) -> Result<Vec<SessionRecord>, Refused> {
        Ok(self.sessions.list(caller.user).await?)
    }

    /// Ends the session the request belongs to.
    pub async fn sign_out(&self, caller: SignedInCaller, device: &Device) -> Result<(), Refused> {
        let session = caller.session.ok_or_else(no_session)?;
        self.end_sessions(caller, Which::One(session), device).await
    }

    /// Ends all sessions of the caller.
    pub async fn sign_out_all(&self, caller: SignedInCaller, device: &Device) -> Result<(), Refused> {
        self.end_sessions(caller, Which::All, device).await
    }

    /// Ends one session of the caller. That of another user is not found.
    pub async fn revoke_session(
        &self,
        caller: SignedInCaller,
        session: SessionId,
        device: &Device,
    ) -> Result<(), Refused> {
        if self.sessions.began_at(caller.user, session).await?.is_none() {
            return Err(Refused::on("sessionId", ErrorCode::NotFound, "no such session"));
        }
        self.end_sessions(caller, Which::One(session), device).await
    }

    async fn end_sessions(
        &self,
        caller: SignedInCaller,
        which: Which,
        device: &Device,
    ) -> Result<(), Refused> {
        let ended = self.sessions.end(caller.user, which).await?;
        self.record_ended(caller, &ended, device).await
    }

    pub(crate) async fn record_ended(
        &self,
        caller: SignedInCaller,
        ended: &[SessionId],
        device: &Device,
    ) -> Result<(), Refused> {
        if !ended.is_empty() {
            let count = ended.len().to_string();
            let event = Event::new(EventKind::SessionsEnded)
                .of(caller.user)
                .in_session(caller.session)
                .from(device.address)
                .detail(&count);
            self.audit.record(event).await?;
        }
        Ok(())
    }
}

fn invalid_refresh_token() -> Refused {
    let message = "the refresh token is not valid: sign in again";
    Refused::on("refreshToken", ErrorCode::InvalidRefreshToken, message)
}

fn no_session() -> Refused {
    let message = "the access token belongs to no session of ours";
    UserError::new(ErrorCode::NotFound, message).into()
}
