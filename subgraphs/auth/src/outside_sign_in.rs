//! Signing in with an outside provider: which account its word opens.
//!
//! A provider's word opens the account linked to its id of the person, and nothing else. The first time, a new account is made for an address
//! that the provider has proven; an account that is already there is linked only if that account's own address is proven too, so that nobody
//! can lie in wait with an account in another's name.

use fondaco_chassis::ApiError;
use fondaco_contracts::{ErrorCode, UserError};

use crate::{
    account::{Accounts, Refused, SignedIn, check_name},
    audit::{Event, EventKind},
    email::Email,
    oidc::{Answer, BegunFlow, FlowError, OutsideUser, ProviderError, Providers},
    rate_limit::Action,
    session::{Device, Proof},
    store::{Account, NewAccount},
};

/// Signs in with outside providers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OutsideSignIn {
    accounts: Accounts,
    providers: Providers,
}

impl OutsideSignIn {
    /// Into `accounts`, by the word of `providers`.
    pub fn new(accounts: Accounts, providers: Providers) -> Self {
        Self { accounts, providers }
    }

    /// The providers' names.
    pub fn names(&self) -> Vec<String> {
        self.providers.names().map(ToOwned::to_owned).collect()
    }

    /// Where to send the person.
    pub async fn begin(&self, provider: &str, device: &Device) -> Result<BegunFlow, Refused> {
        self.accounts
            .limits
            .admit(Action::PresentToken, None, device.address)
            .await?;
        match self.providers.begin(provider).await {
            Ok(Some(begun)) => Ok(begun),
            Ok(None) => {
                let message = "no such provider is configured";
                Err(Refused::on("provider", ErrorCode::InvalidInput, message))
            }
            Err(FlowError::Fault(fault)) => Err(fault.into()),
            Err(error) => Err(ApiError::unavailable(error).into()),
        }
    }

    /// Signs in with what the person brought back.
    pub async fn complete(&self, answer: Answer, device: &Device) -> Result<SignedIn, Refused> {
        self.accounts
            .limits
            .admit(Action::PresentToken, None, device.address)
            .await?;
        let (provider, user) = match self.providers.complete(answer).await {
            Ok(proven) => proven,
            Err(FlowError::Fault(fault)) => return Err(fault.into()),
            Err(FlowError::Provider(error @ ProviderError::Unusable(_))) => {
                return Err(ApiError::unavailable(error).into());
            }
            Err(error) => return self.refuse(&error, device).await,
        };
        let account = self.account_of(&provider, user, device).await?;
        self.accounts
            .begin_session(account.id, Proof::Other, device)
            .await
    }

    async fn account_of(
        &self,
        provider: &str,
        user: OutsideUser,
        device: &Device,
    ) -> Result<Account, Refused> {
        let store = &self.accounts.store;
        if let Some(account) = store.by_identity(provider, &user.subject).await? {
            return Ok(account);
        }
        let email = user.verified_email.as_deref().map(Email::parse);
        let Some(Ok(email)) = email else {
            let message = "the provider does not vouch for your e-mail address";
            return Err(UserError::new(ErrorCode::EmailNotVerified, message).into());
        };
        let account = match store.by_email(&email).await? {
            Some(account) if account.email_verified => {
                store.link_identity(account.id, provider, &user.subject).await?;
                account
            }
            Some(_) => return Err(taken()),
            None => self.make_account(provider, &user, email, device).await?,
        };
        let event = Event::new(EventKind::ProviderLinked)
            .of(account.id)
            .from(device.address)
            .detail(provider);
        self.accounts.audit.record(event).await?;
        Ok(account)
    }

    async fn make_account(
        &self,
        provider: &str,
        user: &OutsideUser,
        email: Email,
        device: &Device,
    ) -> Result<Account, Refused> {
        let new = NewAccount {
            email,
            email_verified: true,
            name: check_name(user.name.as_deref()).unwrap_or_default(),
            password_hash: None,
            roles: vec!["customer".to_owned()],
            scopes: Vec::new(),
        };
        let store = &self.accounts.store;
        let account = store.insert_with_identity(new, provider, &user.subject).await?;
        // Somebody was faster with the same address.
        let account = account.ok_or_else(taken)?;
        let event = Event::new(EventKind::SignedUp)
            .of(account.id)
            .from(device.address);
        self.accounts.audit.record(event).await?;
        self.accounts.proven(account, device).await
    }

    async fn refuse<T>(&self, error: &FlowError, device: &Device) -> Result<T, Refused> {
        tracing::warn!(error.cause = %error, "an outside sign-in was refused");
        let event = Event::new(EventKind::ProviderRefused).from(device.address);
        self.accounts.audit.record(event).await?;
        let message = "the sign-in could not be completed: begin again";
        Err(UserError::new(ErrorCode::InvalidCredentials, message).into())
    }
}

fn taken() -> Refused {
    let message =
        "an account with this e-mail address exists: sign in with its password and confirm the address";
    Refused::on("email", ErrorCode::EmailTaken, message)
}
