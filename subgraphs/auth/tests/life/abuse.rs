//! The abuse matrix of the auth subgraph: every row is something somebody with bad intentions tries, and must fail safely. One test runs them
//! all against the same services, and prints how many there are and how many held.

use std::{any::Any, panic::AssertUnwindSafe, pin::Pin};

use fondaco_auth::config::PasswordConfig;
use futures::FutureExt;

use crate::{
    outside,
    provider::Provider,
    support::{Auth, Person},
};

mod codes;
mod enumeration;
mod identity;
mod rights;
mod tokens;
mod vouching;

/// What the rows attack.
pub struct World {
    /// As deployed, with cheap hashes.
    pub auth: Auth,
    /// As deployed, with hashes as deployed: for stopwatches.
    pub costly: Auth,
    /// With an outside provider.
    pub outside: (Auth, Provider),
    pub victim: Person,
    pub attacker: Person,
    pub merchant: Person,
}

/// One attack: it panics where the defence fails.
pub type Attack<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;
/// Attacks by name.
pub type Rows<'a> = Vec<(String, Attack<'a>)>;

/// A row from a name and an `async` block.
pub fn row<'a>(name: impl Into<String>, attack: impl Future<Output = ()> + 'a) -> (String, Attack<'a>) {
    (name.into(), Box::pin(attack))
}

#[tokio::test]
async fn matrix() {
    let world = World::new().await;
    let mut rows = Rows::new();
    for theme in [
        tokens::rows,
        codes::rows,
        enumeration::rows,
        identity::rows,
        rights::rows,
        vouching::rows,
    ] {
        rows.extend(theme(&world));
    }
    let total = rows.len();
    let mut broken = Vec::new();
    for (name, attack) in rows {
        let outcome = AssertUnwindSafe(attack).catch_unwind().await;
        println!("{}  {name}", if outcome.is_ok() { "held  " } else { "BROKEN" });
        if let Err(panic) = outcome {
            broken.push(format!("{name}: {}", message(&*panic)));
        }
    }
    println!("abuse matrix, auth: {total} rows, {} held", total - broken.len());
    assert!(
        broken.is_empty(),
        "{} of {total} rows:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert!(total >= 60, "{total} rows: some are missing");
}

impl World {
    async fn new() -> Self {
        let auth = Auth::start().await;
        let (victim, attacker, seller) = (auth.person().await, auth.person().await, auth.person().await);
        let merchant_role = "update users set roles = '{customer,merchant}' where id = $1";
        auth.sql(merchant_role, seller.id).await;
        let merchant = auth.device_of(&seller).await;
        let costly = Auth::start_with(|config| config.password = PasswordConfig::default()).await;
        Self {
            auth,
            costly,
            outside: outside::start().await,
            victim,
            attacker,
            merchant,
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default()
}
