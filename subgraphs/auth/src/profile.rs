//! What people change about their account, up to deleting it.

use std::time::Duration;

use chrono::Utc;
use fondaco_contracts::{ErrorCode, UserError};

use crate::{
    account::{Accounts, Refused, SignedInCaller, check_name},
    audit::{Event, EventKind},
    session::Device,
    store::Account,
};

/// Who has no password must have signed in this recently to delete the account.
const RECENT: Duration = Duration::from_secs(600);

impl Accounts {
    /// Changes what the person is called.
    pub async fn update_profile(
        &self,
        caller: SignedInCaller,
        name: Option<&str>,
    ) -> Result<Account, Refused> {
        let name = check_name(name)?;
        self.store.set_name(caller.user, name.as_deref()).await?;
        self.require(caller.user).await
    }

    /// Deletes the account: takes everything personal out of it and ends its sessions. Orders keep the id, which leads nowhere.
    pub async fn delete_account(
        &self,
        caller: SignedInCaller,
        password: Option<String>,
        device: &Device,
    ) -> Result<(), Refused> {
        let account = self.require(caller.user).await?;
        self.require_presence(caller, &account, password, device).await?;
        let event = Event::new(EventKind::AccountDeleted).of(account.id);
        let Some(ended) = self.store.anonymise(account.id, event).await? else {
            let message = "the last administrator cannot be deleted: grant the role to somebody else first";
            return Err(UserError::new(ErrorCode::LastAdmin, message).into());
        };
        self.sessions.revocations.announce(&ended).await;
        Ok(())
    }

    /// A stolen access token must not be enough: the password, or a recent sign-in where there is none.
    async fn require_presence(
        &self,
        caller: SignedInCaller,
        account: &Account,
        password: Option<String>,
        device: &Device,
    ) -> Result<(), Refused> {
        if self.store.password_hash(account.id).await?.is_some() {
            let password = password.unwrap_or_default();
            let shown = self.require_password(account, "password", password, device);
            return shown.await.map(drop);
        }
        let began = match caller.session {
            Some(session) => self.sessions.began_at(caller.user, session).await?,
            None => None,
        };
        if began.is_some_and(|began| Utc::now() < began + RECENT) {
            return Ok(());
        }
        let message = "sign in again, then delete the account within ten minutes";
        Err(UserError::new(ErrorCode::InvalidCredentials, message).into())
    }
}
