//! Accounts of a demonstration. Their passwords are public: they are made only where the configuration says `auth.demo: true`.

use fondaco_chassis::ApiError;

use crate::{
    email::Email,
    password::Passwords,
    store::{NewAccount, Store},
};

/// The password of every demonstration account.
pub const PASSWORD: &str = "fondaco-demo";

struct DemoAccount {
    email: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    scopes: &'static [&'static str],
}

const ACCOUNTS: [DemoAccount; 2] = [
    DemoAccount {
        email: "merchant@example.com",
        name: "Demo Merchant",
        roles: &["customer", "merchant"],
        scopes: &[],
    },
    DemoAccount {
        email: "customer@example.com",
        name: "Demo Customer",
        roles: &["customer"],
        scopes: &[],
    },
];

/// Makes the accounts that are missing.
pub async fn seed(store: &Store, passwords: &Passwords) -> Result<(), ApiError> {
    for account in &ACCOUNTS {
        let email = Email::parse(account.email).map_err(ApiError::internal)?;
        if store.by_email(&email).await?.is_some() {
            continue;
        }
        let new = NewAccount {
            email,
            email_verified: true,
            name: Some(account.name.to_owned()),
            password_hash: Some(passwords.hash(PASSWORD.to_owned()).await?),
            roles: owned(account.roles),
            scopes: owned(account.scopes),
        };
        store.insert(new).await?;
        tracing::warn!(
            account = account.email,
            "made a demonstration account with a public password"
        );
    }
    Ok(())
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
