//! Stories that must hold however the platform runs, in one process or many; each on a platform that has just started.
//!
//! - [`account`]: an account from sign-up to its end, with two devices and mail
//! - [`journey`]: a shopper from sign-up to the order with its payment
//! - [`rush`]: a thousand buyers of a hundred units
//! - [`limits`]: a limited drop, and one that has not begun
//! - [`order_life`]: a draft that is bought, sent and refunded; a wishlist that is bought
//! - [`two_steps`]: payments that are confirmed, or completed later
//! - [`declined`]: a card that is refused
//! - [`privacy`]: other people's orders
//! - [`mistakes`]: requests and tokens that are wrong in every way
//! - [`user_errors`]: every input of the shop that is wrong

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

pub mod account;
pub mod declined;
pub mod journey;
pub mod limits;
pub mod mistakes;
pub mod order_life;
pub mod privacy;
pub mod rush;
pub mod two_steps;
pub mod user_errors;

use crate::platform::Platform;

/// Tells all stories, one after the other, and looks at the logs they left.
pub async fn all(platform: &Platform) {
    journey::run(platform).await;
    declined::run(platform).await;
    account::run(platform).await;
    order_life::run(platform).await;
    two_steps::run(platform).await;
    limits::run(platform).await;
    privacy::run(platform).await;
    mistakes::run(platform).await;
    user_errors::run(platform).await;
    rush::run(platform).await;
    let offences = crate::logs::offences(platform, &[]);
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
