//! Changing a password one knows, and choosing a new one with a code sent by e-mail.

use fondaco_contracts::ErrorCode;

use crate::{
    account::{Accounts, Refused, SignedInCaller, invalid_code, parse_email},
    audit::{Event, EventKind},
    email::Email,
    mail::Letter,
    one_time_code::CodePurpose,
    password::Passwords,
    rate_limit::Action,
    session::{Device, Which},
    store::Account,
};

impl Accounts {
    /// Changes the password and ends all other sessions.
    pub async fn change_password(
        &self,
        caller: SignedInCaller,
        current: String,
        new: String,
        device: &Device,
    ) -> Result<Account, Refused> {
        let account = self.require(caller.user).await?;
        // First what is counted: judging a password costs as much as hashing one.
        let old = self
            .require_password(&account, "currentPassword", current, device)
            .await?;
        let refused = self.check_new_password("newPassword", &new, &account.email, account.name.as_deref());
        if let Some(error) = refused.await? {
            return Err(error.into());
        }
        let hash = self.passwords.hash(new).await?;
        let event = Event::new(EventKind::PasswordChanged)
            .of(account.id)
            .in_session(caller.session)
            .from(device.address);
        let others = caller.session.map_or(Which::All, Which::AllBut);
        let passwords = (old.as_str(), hash.as_str());
        let ended = self
            .store
            .replace_password(account.id, passwords, others, event)
            .await?;
        // Hashing takes its time: whoever changed the password meanwhile was first.
        let ended = ended.ok_or_else(|| wrong_password("currentPassword"))?;
        self.sessions.revocations.announce(&ended).await;
        self.record_ended(caller, &ended, device).await?;
        self.notify(&account, Letter::PasswordChanged);
        Ok(account)
    }

    /// Mails a code to choose a new password, if the address has an account. The answer and the work are the same if not.
    pub async fn request_password_reset(&self, email: &str, device: &Device) -> Result<(), Refused> {
        let email = parse_email(email)?;
        self.limits
            .admit(Action::SendCode, Some(email.as_str()), device.address)
            .await?;
        let account = self.store.by_email(&email).await?;
        let code = self.codes.issue(CodePurpose::ResetPassword, &email).await?;
        let event = Event::new(EventKind::PasswordResetRequested).from(device.address);
        let event = account.as_ref().map_or(event, |account| event.of(account.id));
        self.audit.record(event).await?;
        if account.is_some() {
            self.mailer.post(&email, Letter::ResetPassword { code });
        }
        Ok(())
    }

    /// Chooses a new password with the code, and ends all sessions. The mail proved the address too.
    pub async fn reset_password(
        &self,
        email: &str,
        code: &str,
        new: String,
        device: &Device,
    ) -> Result<(), Refused> {
        let email = parse_email(email)?;
        self.limits.admit(Action::EnterCode, None, device.address).await?;
        if let Some(error) = self
            .check_new_password("newPassword", &new, email.as_str(), None)
            .await?
        {
            return Err(error.into());
        }
        self.limits
            .admit(Action::EnterCode, Some(email.as_str()), None)
            .await?;
        let redeemed = self
            .codes
            .redeem(CodePurpose::ResetPassword, &email, code)
            .await?;
        let account = match redeemed {
            Some(_) => self.store.by_email(&email).await?,
            None => None,
        };
        let Some(account) = account else {
            let event = Event::new(EventKind::CodeRefused).from(device.address);
            self.audit.record(event).await?;
            return Err(invalid_code());
        };
        let hash = self.passwords.hash(new).await?;
        let event = Event::new(EventKind::PasswordReset)
            .of(account.id)
            .from(device.address);
        let ended = self.store.set_password(account.id, &hash, event).await?;
        self.sessions.revocations.announce(&ended).await;
        let owner = SignedInCaller {
            user: account.id,
            session: None,
        };
        self.record_ended(owner, &ended, device).await?;
        if !account.email_verified {
            self.proven(account.clone(), device).await?;
        }
        self.limits.forgive(Action::SignIn, email.as_str()).await;
        self.notify(&account, Letter::PasswordChanged);
        Ok(())
    }

    /// Asks for the password of a signed-in caller, and gives the hash that it matched; tries count as those of signing in.
    pub(crate) async fn require_password(
        &self,
        account: &Account,
        field: &str,
        password: String,
        device: &Device,
    ) -> Result<String, Refused> {
        self.limits
            .admit(Action::SignIn, Some(&account.email), device.address)
            .await?;
        let stored = self.store.password_hash(account.id).await?;
        let is_possible = Passwords::is_possible(&password);
        let password = if is_possible { password } else { String::new() };
        let verified = self.passwords.verify(password, stored.clone()).await? && is_possible;
        if let Some(stored) = stored.filter(|_| verified) {
            self.limits.forgive(Action::SignIn, &account.email).await;
            return Ok(stored);
        }
        let event = Event::new(EventKind::SignInFailed)
            .of(account.id)
            .from(device.address);
        self.audit.record(event).await?;
        Err(wrong_password(field))
    }

    fn notify(&self, account: &Account, letter: Letter) {
        if let Ok(email) = Email::parse(&account.email) {
            self.mailer.post(&email, letter);
        }
    }
}

fn wrong_password(field: &str) -> Refused {
    Refused::on(field, ErrorCode::InvalidCredentials, "the password is wrong")
}
