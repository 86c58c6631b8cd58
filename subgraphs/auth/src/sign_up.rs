//! Signing up, and proving an address.
//!
//! Where addresses must be proven, `signUp` makes no account: it keeps what was entered and mails a code, and whoever enters the code gets the
//! account. The answer and the work are the same for an address that has an account; its owner is told by mail. Where proving is optional, the
//! account begins at once, and a taken address shows.

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, UserError};

use crate::{
    account::{Accounts, Refused, SignedIn, check_name, invalid_code, parse_email},
    audit::{Event, EventKind},
    config::EmailVerification,
    email::Email,
    mail::Letter,
    one_time_code::{CodePurpose, PendingSignUp},
    rate_limit::Action,
    session::{Device, Proof},
    store::{Account, NewAccount},
};

/// What signing up takes.
#[derive(Debug)]
pub struct SignUp {
    /// As typed.
    pub email: String,
    /// In clear.
    pub password: String,
    /// What to call the person.
    pub name: Option<String>,
}

/// What signing up led to.
#[derive(Debug)]
pub enum SignedUp {
    /// A session.
    SignedIn(Box<SignedIn>),
    /// A mail with a code, or to the owner of the account there is.
    CodeSent,
}

/// What entering a code led to.
#[derive(Debug)]
pub enum Verified {
    /// The sign-up is complete: a session.
    SignedUp(Box<SignedIn>),
    /// The address of an account that was there is proven.
    Proven(Account),
}

impl Accounts {
    /// Makes a customer's account, or asks for the code first.
    pub async fn sign_up(&self, input: SignUp, device: &Device) -> Result<SignedUp, Refused> {
        self.limits.admit(Action::SignUp, None, device.address).await?;
        let (email, name) = self.check_sign_up(&input).await?;
        self.limits
            .admit(Action::SignUp, Some(email.as_str()), None)
            .await?;
        let password_hash = self.passwords.hash(input.password).await?;
        match self.verification {
            EmailVerification::Required => {
                let pending = PendingSignUp { password_hash, name };
                self.ask_for_code(&email, pending).await?;
                Ok(SignedUp::CodeSent)
            }
            EmailVerification::Optional => {
                let account = self
                    .make_account(&email, name, password_hash, false, device)
                    .await?;
                let account = account.ok_or_else(email_taken)?;
                let code = self.codes.issue(CodePurpose::VerifyEmail, &email).await?;
                self.mailer.post(&email, Letter::VerifyEmail { code });
                let signed_in = self.begin_session(account.id, Proof::Other, device).await?;
                Ok(SignedUp::SignedIn(Box::new(signed_in)))
            }
        }
    }

    /// Mails a code to prove an address. Says nothing about whether there was reason to.
    pub async fn send_email_verification(&self, email: &str, device: &Device) -> Result<(), Refused> {
        let email = parse_email(email)?;
        self.limits
            .admit(Action::SendCode, Some(email.as_str()), device.address)
            .await?;
        let pending = self.codes.reissue_for_sign_up(&email).await?;
        let account = self.store.by_email(&email).await?;
        let code = self.codes.issue(CodePurpose::VerifyEmail, &email).await?;
        match (account, pending) {
            (Some(account), _) if !account.email_verified => {
                self.mailer.post(&email, Letter::VerifyEmail { code });
            }
            (None, Some(code)) => self.mailer.post(&email, Letter::VerifyEmail { code }),
            _ => {}
        }
        Ok(())
    }

    /// Enters the code that proves an address.
    pub async fn verify_email(&self, email: &str, code: &str, device: &Device) -> Result<Verified, Refused> {
        let email = parse_email(email)?;
        self.limits
            .admit(Action::EnterCode, Some(email.as_str()), device.address)
            .await?;
        let redeemed = self.codes.redeem(CodePurpose::VerifyEmail, &email, code).await?;
        let Some(redeemed) = redeemed else {
            let event = Event::new(EventKind::CodeRefused).from(device.address);
            self.audit.record(event).await?;
            return Err(invalid_code());
        };
        match (redeemed.sign_up, self.store.by_email(&email).await?) {
            (Some(pending), None) => {
                let account = self
                    .make_account(&email, pending.name, pending.password_hash, true, device)
                    .await?;
                let account = self.proven(account.ok_or_else(invalid_code)?, device).await?;
                let signed_in = self.begin_session(account.id, Proof::Other, device).await?;
                Ok(Verified::SignedUp(Box::new(signed_in)))
            }
            (None, Some(account)) => Ok(Verified::Proven(self.proven(account, device).await?)),
            // A decoy was guessed: there is nothing it could open.
            _ => Err(invalid_code()),
        }
    }

    /// The account's address is proven: from now on, and for the configured one with the rights of the first admin.
    pub(crate) async fn proven(&self, account: Account, device: &Device) -> Result<Account, Refused> {
        self.store.set_email_verified(account.id).await?;
        let event = Event::new(EventKind::EmailVerified)
            .of(account.id)
            .from(device.address);
        self.audit.record(event).await?;
        let is_first_admin = self
            .first_admin
            .as_ref()
            .is_some_and(|email| email.as_str() == account.email);
        if is_first_admin && self.store.make_first_admin(account.id).await? {
            let event = Event::new(EventKind::RoleGranted).of(account.id).detail("admin");
            self.audit.record(event).await?;
        }
        self.require(account.id).await
    }

    /// Keeps the sign-up and mails the code, or tells the owner of the account there is. Either way the same statements run.
    async fn ask_for_code(&self, email: &Email, pending: PendingSignUp) -> Result<(), Refused> {
        let account = self.store.by_email(email).await?;
        let code = self.codes.issue_for_sign_up(email, pending).await?;
        let letter = match account {
            None => Letter::VerifyEmail { code },
            Some(_) => Letter::AlreadyRegistered,
        };
        self.mailer.post(email, letter);
        Ok(())
    }

    async fn make_account(
        &self,
        email: &Email,
        name: Option<String>,
        password_hash: String,
        email_verified: bool,
        device: &Device,
    ) -> Result<Option<Account>, Refused> {
        let new = NewAccount {
            email: email.clone(),
            email_verified,
            name,
            password_hash: Some(password_hash),
            roles: vec!["customer".to_owned()],
            scopes: Vec::new(),
        };
        let account = self.store.insert(new).await?;
        if let Some(account) = &account {
            let event = Event::new(EventKind::SignedUp)
                .of(account.id)
                .from(device.address);
            self.audit.record(event).await?;
        }
        Ok(account)
    }

    /// All that is wrong at once, so that a form can show it.
    async fn check_sign_up(&self, input: &SignUp) -> Result<(Email, Option<String>), Refused> {
        let email = parse_email(&input.email);
        let name = check_name(input.name.as_deref());
        let known = input.name.as_deref();
        let password = self.check_new_password("password", &input.password, &input.email, known);
        match (email, password.await?, name) {
            (Ok(email), None, Ok(name)) => Ok((email, name)),
            (email, password, name) => Err(Refused::ByUser(
                [email.err(), password, name.err()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
        }
    }
}

fn email_taken() -> UserError {
    let message = "an account with this e-mail address exists";
    UserError::on("email", ErrorCode::EmailTaken, message)
}

/// Makes the first admin where the configuration names one with a password.
pub async fn make_first_admin(
    accounts: &Accounts,
    email: &Email,
    password: Option<&str>,
) -> Result<(), ApiError> {
    let store = &accounts.store;
    if let (None, Some(password)) = (store.by_email(email).await?, password) {
        let new = NewAccount {
            email: email.clone(),
            email_verified: true,
            name: None,
            password_hash: Some(accounts.passwords.hash(password.to_owned()).await?),
            roles: vec!["customer".to_owned()],
            scopes: Vec::new(),
        };
        store.insert(new).await?;
    }
    let proven = store
        .by_email(email)
        .await?
        .filter(|account| account.email_verified);
    if let Some(account) = proven
        && store.make_first_admin(account.id).await?
    {
        let event = Event::new(EventKind::RoleGranted).of(account.id).detail("admin");
        accounts.audit.record(event).await?;
        tracing::info!(user.id = %account.id, "the configured account is the first admin");
    }
    Ok(())
}
