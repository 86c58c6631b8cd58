//! The provider with Stripe's interface against a real HTTP server: what is lost is asked about, nothing is charged or given back twice.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod bank;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::Router;
use bank::{Bank, KEY, Trouble};
use fondaco_chassis::testing::{TestRuntime, service};
use fondaco_contracts::{OrderId, RefundId, UserId};
use fondaco_payment::config::{PaymentConfig, ProviderName, StripeConfig};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::{net::TcpListener, time::sleep};

const SECRET: &str = "whsec_of_this_test";

/// Payment and its provider.
struct Desk {
    test: TestRuntime,
    router: Router,
    bank: Bank,
    /// Payment's own address, for webhooks.
    url: String,
}

impl Desk {
    async fn open() -> Self {
        let (bank, bank_url) = Bank::open().await;
        let config = PaymentConfig {
            provider: ProviderName::Stripe,
            provider_timeout_ms: 400,
            stripe: StripeConfig {
                url: bank_url,
                secret_key: Some(KEY.to_owned()),
                webhook_secret: Some(SECRET.to_owned()),
            },
            ..PaymentConfig::default()
        };
        let test = TestRuntime::new();
        let router = fondaco_payment::start(&config, &test.runtime)
            .await
            .unwrap()
            .router;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = router.clone();
        tokio::spawn(async move { axum::serve(listener, served).await });
        Self {
            test,
            router,
            bank,
            url,
        }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let caller = service("order");
        let answer = self
            .test
            .call(&self.router, "payment", &caller, query, variables)
            .await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    async fn charge(&self, order: OrderId, token: &str, capture: bool) -> String {
        let input = json!({ "orderId": order, "customerId": UserId::from(order.as_uuid()), "amount": 1299,
            "currency": "EUR", "token": token, "capture": capture });
        let query = "mutation ($input: ChargeInput!) { charge(input: $input) { outcome declineCode } }";
        outcome(&self.ask(query, json!({ "input": input })).await["charge"])
    }

    async fn outcome(&self, order: OrderId) -> String {
        let query = "query ($id: ID!) { chargeOutcome(orderId: $id) { outcome declineCode } }";
        outcome(&self.ask(query, json!({ "id": order })).await["chargeOutcome"])
    }

    async fn complete(&self, order: OrderId) -> String {
        let query = "mutation ($id: ID!) { completeCharge(orderId: $id, confirmation: \"\") { outcome declineCode } }";
        outcome(&self.ask(query, json!({ "id": order })).await["completeCharge"])
    }

    async fn refund(&self, order: OrderId) -> String {
        let query = "mutation ($id: ID!) { refund(orderId: $id) { outcome } }";
        outcome(&self.ask(query, json!({ "id": order })).await["refund"])
    }

    async fn refund_part(&self, order: OrderId, refund: RefundId, amount: i64) -> String {
        let query = "mutation ($input: RefundPartInput!) { refundPart(input: $input) { outcome } }";
        let input = json!({ "orderId": order, "refundId": refund, "amount": amount });
        outcome(&self.ask(query, json!({ "input": input })).await["refundPart"])
    }

    /// Asks until the outcome is known, as the sweeper does.
    async fn until_known(&self, mut ask: impl AsyncFnMut() -> String) -> String {
        for _ in 0..40 {
            let outcome = ask().await;
            if outcome != "UNKNOWN" {
                return outcome;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the outcome stays unknown");
    }

    /// What the ledger says was captured and refunded.
    async fn ledger(&self, order: OrderId) -> (i64, i64) {
        let runtime = &self.test.runtime;
        let server = runtime.database_url.trim_end_matches('/');
        let url = format!("{server}/{}payment", runtime.database_prefix);
        sqlx::query_as(
            "select coalesce(sum(amount) filter (where kind = 'CAPTURED'), 0)::bigint,
                    coalesce(sum(amount) filter (where kind = 'REFUNDED'), 0)::bigint
             from ledger_entry where order_id = $1",
        )
        .bind(order.as_uuid())
        .fetch_one(&mut PgConnection::connect(&url).await.unwrap())
        .await
        .unwrap()
    }

    async fn webhook(
        &self,
        id: &str,
        kind: &str,
        order: OrderId,
        signed_at: u64,
        secret: &str,
    ) -> StatusCode {
        let object = json!({ "id": "pi", "metadata": { "order_id": order } });
        let body = json!({ "id": id, "type": kind, "data": { "object": object } }).to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{signed_at}.{body}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let sent = Client::new()
            .post(format!("{}/webhooks/stripe", self.url))
            .header("stripe-signature", format!("t={signed_at},v1={hex}"))
            .body(body)
            .send()
            .await;
        sent.unwrap().status()
    }
}

/// `OUTCOME`, or `DECLINED code`.
fn outcome(payload: &Value) -> String {
    let outcome = payload["outcome"].as_str().unwrap_or_else(|| panic!("{payload}"));
    match payload["declineCode"].as_str() {
        Some(code) => format!("{outcome} {code}"),
        None => outcome.to_owned(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn cards_decide() {
    let desk = Desk::open().await;
    let check = async |token: &str, expected: &str, captured: i64| {
        let order = OrderId::new();
        assert_eq!(desk.charge(order, token, true).await, expected, "{token}");
        assert_eq!(desk.charge(order, token, true).await, expected, "{token} again");
        assert_eq!(desk.bank.money(&order.to_string()), (1, captured, 0), "{token}");
        assert_eq!(desk.ledger(order).await, (captured, 0), "{token}");
    };
    check("pm_card_visa", "CAPTURED", 1299).await;
    check("pm_card_declined", "DECLINED insufficient_funds", 0).await;
    check("pm_of_nobody", "DECLINED resource_missing", 0).await;
    check("pm_card_3ds", "CONFIRMATION_REQUIRED", 0).await;
}

#[tokio::test]
async fn money_is_set_aside_taken_let_go_and_given_back() {
    let desk = Desk::open().await;
    let (taken, let_go, confirmed) = (OrderId::new(), OrderId::new(), OrderId::new());
    assert_eq!(desk.charge(taken, "pm_card_visa", false).await, "AUTHORIZED");
    assert_eq!(desk.complete(taken).await, "CAPTURED");
    let refund = RefundId::new();
    for _ in 0..2 {
        assert_eq!(desk.refund_part(taken, refund, 300).await, "REFUNDED");
    }
    assert_eq!(desk.bank.money(&taken.to_string()), (1, 1299, 300));
    assert_eq!(desk.refund(taken).await, "REFUNDED");
    assert_eq!(desk.bank.money(&taken.to_string()), (1, 1299, 1299));
    assert_eq!(desk.ledger(taken).await, (1299, 1299));

    assert_eq!(desk.charge(let_go, "pm_card_visa", false).await, "AUTHORIZED");
    assert_eq!(desk.refund(let_go).await, "NOT_CHARGED");
    assert_eq!(desk.bank.status(&let_go.to_string()), "canceled");

    assert_eq!(
        desk.charge(confirmed, "pm_card_3ds", true).await,
        "CONFIRMATION_REQUIRED"
    );
    assert_eq!(desk.complete(confirmed).await, "CONFIRMATION_REQUIRED");
    desk.bank.customer_confirms(&confirmed.to_string(), true);
    assert_eq!(desk.complete(confirmed).await, "CAPTURED");
}

/// Half of the calls that move money are carried out and not answered, or not carried out: each ends once, and the ledger agrees.
#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_charge_and_refund_nothing_twice() {
    for trouble in [Trouble::LosesReplies, Trouble::Fails] {
        let desk = Desk::open().await;
        desk.bank.set(trouble);
        let orders: Vec<OrderId> = (0..12).map(|_| OrderId::new()).collect();
        let mut unknown = 0;
        for order in &orders {
            let first = desk.charge(*order, "pm_card_visa", true).await;
            unknown += usize::from(first == "UNKNOWN");
            let known = desk.until_known(async || desk.outcome(*order).await).await;
            assert_eq!(known, "CAPTURED", "{trouble:?}");
            let part = RefundId::new();
            let refunded = desk
                .until_known(async || desk.refund_part(*order, part, 200).await)
                .await;
            assert_eq!(refunded, "REFUNDED", "{trouble:?}");
        }
        assert!(unknown > 0, "{trouble:?} does no harm");
        for order in orders {
            assert_eq!(desk.bank.money(&order.to_string()), (1, 1299, 200), "{trouble:?}");
            assert_eq!(desk.ledger(order).await, (1299, 200), "{trouble:?}");
        }
    }
}

#[tokio::test]
async fn webhooks_are_signed_fresh_and_act_once_in_any_order() {
    let desk = Desk::open().await;
    let order = OrderId::new();
    assert_eq!(
        desk.charge(order, "pm_card_3ds", true).await,
        "CONFIRMATION_REQUIRED"
    );
    desk.bank.customer_confirms(&order.to_string(), true);
    let tell =
        async |id: &str, kind: &str, at: u64, secret: &str| desk.webhook(id, kind, order, at, secret).await;

    assert_eq!(
        tell("evt_1", "payment_intent.succeeded", now(), "whsec_other").await,
        400
    );
    assert_eq!(
        tell("evt_1", "payment_intent.succeeded", now() - 301, SECRET).await,
        400
    );
    assert_eq!(
        tell("evt_1", "payment_intent.succeeded", now() + 310, SECRET).await,
        400
    );
    assert_eq!(
        desk.outcome(order).await,
        "CONFIRMATION_REQUIRED",
        "nobody was believed"
    );

    // The last comes first, all of them twice; one of an order that is not ours.
    for kind in [
        "charge.refunded",
        "payment_intent.succeeded",
        "payment_intent.created",
    ] {
        for _ in 0..2 {
            assert_eq!(tell(&format!("evt_{kind}"), kind, now() - 60, SECRET).await, 200);
        }
        assert_eq!(desk.outcome(order).await, "CAPTURED");
    }
    let foreign = desk.webhook("evt_f", "payment_intent.succeeded", OrderId::new(), now(), SECRET);
    assert_eq!(foreign.await, 200);
    assert_eq!(desk.bank.money(&order.to_string()), (1, 1299, 0));
    assert_eq!(desk.ledger(order).await, (1299, 0));

    let refused = OrderId::new();
    assert_eq!(
        desk.charge(refused, "pm_card_3ds", true).await,
        "CONFIRMATION_REQUIRED"
    );
    desk.bank.customer_confirms(&refused.to_string(), false);
    let told = desk.webhook("evt_2", "payment_intent.payment_failed", refused, now(), SECRET);
    assert_eq!(told.await, 200);
    assert_eq!(desk.outcome(refused).await, "DECLINED authentication_failed");
}
