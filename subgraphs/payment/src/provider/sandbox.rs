//! The sandbox: a provider without money. Test tokens decide what happens.
//!
//! | token                    | charge                         | asked again later |
//! |--------------------------|--------------------------------|-------------------|
//! | `tok_success`            | captured                       | captured          |
//! | `tok_declined`           | declined, `card_declined`      | declined          |
//! | `tok_insufficient_funds` | declined, `insufficient_funds` | declined          |
//! | `tok_timeout`            | no answer                      | captured          |
//! | anything else            | declined, `invalid_token`      | declined          |

use fondaco_contracts::OrderId;
use futures::future::{self, BoxFuture, FutureExt};

use super::{ChargeRequest, NoAnswer, Provider, Verdict};

/// Answers by test token. It keeps no state: what it answers follows from the request alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

impl Provider for Sandbox {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>> {
        let answer = if request.token == "tok_timeout" {
            Err(NoAnswer)
        } else {
            Ok(verdict(&request.token))
        };
        future::ready(answer).boxed()
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>> {
        future::ready(Ok(verdict(&request.token))).boxed()
    }

    fn refund(&self, _order: OrderId) -> BoxFuture<'_, Result<(), NoAnswer>> {
        future::ready(Ok(())).boxed()
    }
}

fn verdict(token: &str) -> Verdict {
    match token {
        "tok_success" | "tok_timeout" => Verdict::Captured,
        "tok_declined" => Verdict::Declined("card_declined".to_owned()),
        "tok_insufficient_funds" => Verdict::Declined("insufficient_funds".to_owned()),
        _ => Verdict::Declined("invalid_token".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use fondaco_contracts::{CurrencyCode, Money, OrderId};

    use super::{ChargeRequest, NoAnswer, Provider, Sandbox, Verdict};

    #[tokio::test]
    async fn tokens_decide() {
        let declined = |code: &str| Ok(Verdict::Declined(code.to_owned()));
        check("tok_success", Ok(Verdict::Captured), Ok(Verdict::Captured)).await;
        check(
            "tok_declined",
            declined("card_declined"),
            declined("card_declined"),
        )
        .await;
        check(
            "tok_insufficient_funds",
            declined("insufficient_funds"),
            declined("insufficient_funds"),
        )
        .await;
        check("tok_timeout", Err(NoAnswer), Ok(Verdict::Captured)).await;
        check("4242", declined("invalid_token"), declined("invalid_token")).await;
    }

    async fn check(token: &str, charged: Result<Verdict, NoAnswer>, settled: Result<Verdict, NoAnswer>) {
        let request = ChargeRequest {
            order: OrderId::new(),
            amount: Money::new(1299, CurrencyCode::EUR).unwrap(),
            token: token.to_owned(),
        };
        assert_eq!(Sandbox.charge(&request).await, charged, "charge {token}");
        assert_eq!(Sandbox.settle(&request).await, settled, "settle {token}");
        assert_eq!(Sandbox.refund(request.order).await, Ok(()), "refund {token}");
    }
}
