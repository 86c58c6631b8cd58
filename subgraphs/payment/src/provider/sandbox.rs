//! The sandbox: a provider without money. Test tokens decide what happens.
//!
//! | token                    | charge                             | asked again later | confirmed with `ok` | with anything else                  |
//! |--------------------------|------------------------------------|-------------------|---------------------|-------------------------------------|
//! | `tok_success`            | captured                           | captured          | –                   | –                                   |
//! | `tok_declined`           | declined, `card_declined`          | declined          | –                   | –                                   |
//! | `tok_insufficient_funds` | declined, `insufficient_funds`     | declined          | –                   | –                                   |
//! | `tok_confirm`            | confirmation required              | the same          | captured            | declined, `confirmation_failed`     |
//! | `tok_timeout`            | no answer                          | captured          | –                   | –                                   |
//! | `tok_late`               | answers when nobody waits any more | captured          | –                   | –                                   |
//! | anything else            | declined, `invalid_token`          | declined          | –                   | –                                   |
//!
//! Where the money is to be taken later, it is authorized instead of captured, and captured when asked.

use fondaco_contracts::OrderId;
use futures::future::{self, FutureExt};

use super::{Answered, ChargeRequest, NoAnswer, Provider, RefundRequest, Verdict};

/// What a customer who agrees answers at the sandbox's page.
const AGREED: &str = "ok";

/// Answers by test token. It keeps no state: what it answers follows from the request alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

impl Provider for Sandbox {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        match request.token.as_str() {
            "tok_timeout" => future::ready(Err(NoAnswer)).boxed(),
            "tok_late" => future::pending().boxed(),
            _ => future::ready(Ok(verdict(request))).boxed(),
        }
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        future::ready(Ok(verdict(request))).boxed()
    }

    fn confirm<'a>(&'a self, request: &'a ChargeRequest, confirmation: &'a str) -> Answered<'a, Verdict> {
        let answer = if confirmation == AGREED {
            paid(request)
        } else {
            Verdict::Declined("confirmation_failed".to_owned())
        };
        future::ready(Ok(answer)).boxed()
    }

    fn capture<'a>(&'a self, _request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        future::ready(Ok(Verdict::Captured)).boxed()
    }

    fn void(&self, _order: OrderId) -> Answered<'_, Verdict> {
        future::ready(Ok(Verdict::Declined("voided".to_owned()))).boxed()
    }

    fn refund<'a>(&'a self, _request: &'a RefundRequest) -> Answered<'a, ()> {
        future::ready(Ok(())).boxed()
    }
}

fn verdict(request: &ChargeRequest) -> Verdict {
    match request.token.as_str() {
        "tok_success" | "tok_timeout" | "tok_late" => paid(request),
        "tok_confirm" => {
            Verdict::ConfirmationRequired(format!("https://sandbox.invalid/confirm/{}", request.order))
        }
        "tok_declined" => Verdict::Declined("card_declined".to_owned()),
        "tok_insufficient_funds" => Verdict::Declined("insufficient_funds".to_owned()),
        _ => Verdict::Declined("invalid_token".to_owned()),
    }
}

fn paid(request: &ChargeRequest) -> Verdict {
    if request.capture {
        Verdict::Captured
    } else {
        Verdict::Authorized
    }
}

#[cfg(test)]
mod tests {
    use fondaco_contracts::{CurrencyCode, Money, OrderId, RefundId};
    use futures::FutureExt;

    use super::{ChargeRequest, NoAnswer, Provider, RefundRequest, Sandbox, Verdict};

    fn request(token: &str, capture: bool) -> ChargeRequest {
        ChargeRequest {
            order: OrderId::new(),
            amount: Money::new(1299, CurrencyCode::EUR).unwrap(),
            token: token.to_owned(),
            capture,
        }
    }

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
        assert_eq!(Sandbox.charge(&request("tok_late", true)).now_or_never(), None);
        assert_eq!(
            Sandbox.settle(&request("tok_late", true)).await,
            Ok(Verdict::Captured)
        );
    }

    async fn check(token: &str, charged: Result<Verdict, NoAnswer>, settled: Result<Verdict, NoAnswer>) {
        let request = request(token, true);
        assert_eq!(Sandbox.charge(&request).await, charged, "charge {token}");
        assert_eq!(Sandbox.settle(&request).await, settled, "settle {token}");
        let refund = RefundRequest {
            order: request.order,
            refund: RefundId::new(),
            amount: request.amount,
        };
        assert_eq!(Sandbox.refund(&refund).await, Ok(()), "refund {token}");
    }

    #[tokio::test]
    async fn payments_have_two_steps_where_asked() {
        let later = request("tok_success", false);
        assert_eq!(Sandbox.charge(&later).await, Ok(Verdict::Authorized));
        assert_eq!(Sandbox.capture(&later).await, Ok(Verdict::Captured));
        let confirmed = request("tok_confirm", true);
        assert!(matches!(
            Sandbox.charge(&confirmed).await,
            Ok(Verdict::ConfirmationRequired(_))
        ));
        assert_eq!(Sandbox.confirm(&confirmed, "ok").await, Ok(Verdict::Captured));
        let refused = Ok(Verdict::Declined("confirmation_failed".to_owned()));
        assert_eq!(Sandbox.confirm(&confirmed, "no").await, refused);
        let voided = Ok(Verdict::Declined("voided".to_owned()));
        assert_eq!(Sandbox.void(confirmed.order).await, voided);
    }
}
