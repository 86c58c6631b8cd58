//! Charges against a real Postgres: once per order, whatever is repeated, lost or interrupted.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use fondaco_chassis::{
    Caller,
    testing::{TestRuntime, customer, service},
};
use fondaco_contracts::{OrderId, RefundId, UserId};
use fondaco_payment::{
    config::PaymentConfig,
    provider::{Answered, ChargeRequest, NoAnswer, Provider, RefundRequest, Verdict, sandbox::Sandbox},
};
use futures::future::FutureExt;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

/// The sandbox, counting what it is asked, and hanging for the token `hang`.
#[derive(Default)]
struct Counting {
    charges: AtomicUsize,
    refunds: AtomicUsize,
    refunded: AtomicI64,
    loses_refunds: AtomicBool,
    seconds: AtomicUsize,
    voids: AtomicUsize,
}

impl Provider for Counting {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        self.charges.fetch_add(1, Ordering::SeqCst);
        if request.token == "hang" {
            std::future::pending().boxed()
        } else {
            Sandbox.charge(request)
        }
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        if request.token == "hang" {
            async { Ok(Verdict::Captured) }.boxed()
        } else {
            Sandbox.settle(request)
        }
    }

    /// The first confirmation and the first capture are not answered, though they had their effect.
    fn confirm<'a>(&'a self, request: &'a ChargeRequest, confirmation: &'a str) -> Answered<'a, Verdict> {
        if self.seconds.fetch_add(1, Ordering::SeqCst) == 0 {
            return std::future::ready(Err(NoAnswer)).boxed();
        }
        Sandbox.confirm(request, confirmation)
    }

    fn capture<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        if self.seconds.fetch_add(1, Ordering::SeqCst) == 0 {
            return std::future::ready(Err(NoAnswer)).boxed();
        }
        Sandbox.capture(request)
    }

    fn void(&self, order: OrderId) -> Answered<'_, Verdict> {
        self.voids.fetch_add(1, Ordering::SeqCst);
        Sandbox.void(order)
    }

    /// The first attempt of every other refund is not answered.
    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answered<'a, ()> {
        let before = self.refunds.fetch_add(1, Ordering::SeqCst);
        if self.loses_refunds.load(Ordering::SeqCst) && before.is_multiple_of(2) {
            return std::future::ready(Err(NoAnswer)).boxed();
        }
        self.refunded
            .fetch_add(request.amount.minor_units(), Ordering::SeqCst);
        Sandbox.refund(request)
    }
}

struct Bench {
    test: TestRuntime,
    router: Router,
    provider: Arc<Counting>,
    customer: UserId,
}

impl Bench {
    async fn new() -> Self {
        let (test, provider) = (TestRuntime::new(), Arc::new(Counting::default()));
        let router = start(&test, &provider).await;
        Self {
            test,
            router,
            provider,
            customer: UserId::new(),
        }
    }

    async fn call(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.test
            .call(&self.router, "payment", caller, query, variables)
            .await
    }

    async fn charge(&self, order: OrderId, amount: i64, token: &str) -> Value {
        let input = json!({
            "orderId": order, "customerId": self.customer, "amount": amount, "currency": "EUR", "token": token,
        });
        let query = "mutation ($input: ChargeInput!) { charge(input: $input) { outcome declineCode } }";
        self.call(&service("order"), query, json!({ "input": input }))
            .await
    }

    /// Sets the money aside.
    async fn authorize(&self, order: OrderId, token: &str) -> Value {
        let input = json!({ "orderId": order, "customerId": self.customer, "amount": 1299, "currency": "EUR",
            "token": token, "capture": false });
        let query = "mutation ($input: ChargeInput!) { charge(input: $input) { outcome declineCode } }";
        self.call(&service("order"), query, json!({ "input": input }))
            .await["data"]["charge"]["outcome"]
            .take()
    }

    async fn complete(&self, order: OrderId, confirmation: &str) -> Value {
        let query = "mutation ($id: ID!, $confirmation: String!) {
            completeCharge(orderId: $id, confirmation: $confirmation) { outcome declineCode } }";
        let variables = json!({ "id": order, "confirmation": confirmation });
        self.call(&service("order"), query, variables).await["data"]["completeCharge"].take()
    }

    async fn outcome(&self, order: OrderId) -> Value {
        let query = "query ($id: ID!) { chargeOutcome(orderId: $id) { outcome declineCode } }";
        self.call(&service("order"), query, json!({ "id": order })).await["data"]["chargeOutcome"].take()
    }

    async fn refund(&self, order: OrderId) -> Value {
        let query = "mutation ($id: ID!) { refund(orderId: $id) { outcome } }";
        self.call(&service("order"), query, json!({ "id": order })).await["data"]["refund"]["outcome"].take()
    }

    async fn refund_part(&self, order: OrderId, refund: RefundId, amount: i64) -> Value {
        let query = "mutation ($input: RefundPartInput!) { refundPart(input: $input) { outcome } }";
        let input = json!({ "orderId": order, "refundId": refund, "amount": amount });
        self.call(&service("order"), query, json!({ "input": input }))
            .await
    }

    /// What the ledger says was captured and refunded.
    async fn ledger(&self, order: OrderId) -> (i64, i64) {
        let runtime = &self.test.runtime;
        let url = format!(
            "{}/{}payment",
            runtime.database_url.trim_end_matches('/'),
            runtime.database_prefix
        );
        let mut database = PgConnection::connect(&url).await.unwrap();
        sqlx::query_as(
            "select coalesce(sum(amount) filter (where kind = 'CAPTURED'), 0)::bigint,
                    coalesce(sum(amount) filter (where kind = 'REFUNDED'), 0)::bigint
             from ledger_entry where order_id = $1",
        )
        .bind(order.as_uuid())
        .fetch_one(&mut database)
        .await
        .unwrap()
    }

    async fn payment(&self, caller: &Caller, order: OrderId) -> Value {
        let query = "query ($of: [_Any!]!) { _entities(representations: $of) {
            ... on Order { payment { status amount { amount currency } } } } }";
        let of = json!([{ "__typename": "Order", "id": order }]);
        self.call(caller, query, json!({ "of": of })).await["data"]["_entities"][0]["payment"].take()
    }

    fn charges(&self) -> usize {
        self.provider.charges.load(Ordering::SeqCst)
    }
}

async fn start(test: &TestRuntime, provider: &Arc<Counting>) -> Router {
    let config = PaymentConfig {
        provider_timeout_ms: 300,
        ..PaymentConfig::default()
    };
    let provider: Arc<dyn Provider> = Arc::<Counting>::clone(provider);
    fondaco_payment::start_with(provider, &config, &test.runtime)
        .await
        .expect("the servers of the test run")
        .router
}

fn captured() -> Value {
    json!({ "outcome": "CAPTURED", "declineCode": null })
}

fn declined(code: &str) -> Value {
    json!({ "outcome": "DECLINED", "declineCode": code })
}

#[tokio::test]
async fn a_repeated_charge_returns_the_first_answer() {
    let bench = Bench::new().await;
    let cases = [
        ("tok_success", captured()),
        ("tok_declined", declined("card_declined")),
        ("tok_insufficient_funds", declined("insufficient_funds")),
        ("nonsense", declined("invalid_token")),
    ];
    for (token, expected) in cases {
        let (order, before) = (OrderId::new(), bench.charges());
        for _ in 0..3 {
            assert_eq!(
                bench.charge(order, 1299, token).await["data"]["charge"],
                expected,
                "{token}"
            );
        }
        assert_eq!(bench.charges() - before, 1, "{token} reached the provider once");
        assert_eq!(bench.outcome(order).await, expected, "{token}");
    }
}

#[tokio::test]
async fn concurrent_charges_reach_the_provider_once() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    let answers = futures::future::join_all((0..20).map(|_| bench.charge(order, 1299, "tok_success"))).await;
    assert_eq!(bench.charges(), 1);
    for answer in answers {
        let outcome = answer["data"]["charge"]["outcome"].as_str().unwrap();
        assert!(["CAPTURED", "UNKNOWN"].contains(&outcome), "{answer}");
    }
    assert_eq!(bench.outcome(order).await, captured());
}

#[tokio::test]
async fn other_parameters_are_refused() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    bench.charge(order, 1299, "tok_success").await;
    for answer in [
        bench.charge(order, 1300, "tok_success").await,
        bench.charge(order, 1299, "tok_declined").await,
    ] {
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{answer}"
        );
    }
    assert_eq!(
        bench.charge(order, -1, "tok_success").await["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
    assert_eq!(bench.outcome(order).await, captured());
}

#[tokio::test]
async fn an_unknown_outcome_resolves_when_asked_later() {
    for token in ["tok_timeout", "hang"] {
        let bench = Bench::new().await;
        let order = OrderId::new();
        assert_eq!(
            bench.charge(order, 1299, token).await["data"]["charge"]["outcome"],
            "UNKNOWN",
            "{token}"
        );
        assert_eq!(
            bench.payment(&customer(bench.customer), order).await["status"],
            "UNKNOWN"
        );
        assert_eq!(bench.outcome(order).await, captured(), "{token}");
        assert_eq!(
            bench.charge(order, 1299, token).await["data"]["charge"],
            captured(),
            "{token}"
        );
        assert_eq!(bench.charges(), 1);
    }
}

/// The caller hangs up and the process dies while the provider is asked: the record is there, and is settled after the restart.
#[tokio::test]
async fn a_charge_interrupted_by_a_crash_is_settled_after_it() {
    let mut bench = Bench::new().await;
    let order = OrderId::new();
    // Begun already, as how long a start takes is not what is tested.
    let successor = start(&bench.test, &bench.provider).await;
    let answered = tokio::time::timeout(Duration::from_millis(100), bench.charge(order, 1299, "hang")).await;
    assert!(answered.is_err(), "the provider hangs");
    bench.router = successor;
    assert_eq!(
        bench.outcome(order).await["outcome"],
        "UNKNOWN",
        "somebody may still be waiting for the provider"
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(bench.outcome(order).await, captured());
    assert_eq!(bench.charges(), 1);
}

#[tokio::test]
async fn refunds_are_idempotent_and_total() {
    let bench = Bench::new().await;
    for (token, expected) in [
        ("tok_success", "REFUNDED"),
        ("tok_declined", "NOT_CHARGED"),
        ("tok_timeout", "REFUNDED"),
    ] {
        let order = OrderId::new();
        bench.charge(order, 1299, token).await;
        for _ in 0..2 {
            assert_eq!(bench.refund(order).await, expected, "{token}");
        }
    }
    assert_eq!(bench.provider.refunds.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn money_is_set_aside_then_taken_once() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    assert_eq!(
        bench.complete(order, "").await,
        Value::Null,
        "nothing to complete"
    );
    assert_eq!(bench.authorize(order, "tok_success").await, "AUTHORIZED");
    assert_eq!(bench.ledger(order).await, (0, 0));
    // The first capture is not answered: from then on the money counts as perhaps taken.
    assert_eq!(bench.complete(order, "").await["outcome"], "UNKNOWN");
    assert_eq!(bench.outcome(order).await, captured());
    assert_eq!(bench.complete(order, "").await, captured());
    assert_eq!(bench.ledger(order).await, (1299, 0));
    assert_eq!(bench.refund(order).await, "REFUNDED");
    assert_eq!(bench.provider.voids.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_customer_confirms_or_does_not() {
    for (confirmation, token_outcome, money) in [
        ("ok", captured(), (1299, 0)),
        ("no", declined("confirmation_failed"), (0, 0)),
    ] {
        let bench = Bench::new().await;
        let order = OrderId::new();
        assert_eq!(
            bench.charge(order, 1299, "tok_confirm").await["data"]["charge"]["outcome"],
            "CONFIRMATION_REQUIRED"
        );
        assert_eq!(
            bench.payment(&customer(bench.customer), order).await["status"],
            "REQUIRES_CONFIRMATION"
        );
        // The first confirmation is not answered.
        assert_eq!(
            bench.complete(order, confirmation).await["outcome"],
            "CONFIRMATION_REQUIRED"
        );
        for _ in 0..2 {
            assert_eq!(bench.complete(order, confirmation).await, token_outcome);
        }
        assert_eq!(bench.ledger(order).await, money);
    }
}

#[tokio::test]
async fn what_is_not_completed_is_let_go() {
    let bench = Bench::new().await;
    for token in ["tok_success", "tok_confirm"] {
        let order = OrderId::new();
        bench.authorize(order, token).await;
        for _ in 0..2 {
            assert_eq!(bench.refund(order).await, "NOT_CHARGED");
        }
        assert_eq!(
            bench.payment(&customer(bench.customer), order).await["status"],
            "VOIDED"
        );
        assert_eq!(bench.complete(order, "ok").await, declined("voided"));
        assert_eq!(bench.ledger(order).await, (0, 0));
    }
    assert_eq!(bench.provider.voids.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn parts_are_refunded_once_and_never_more_than_the_whole() {
    let bench = Bench::new().await;
    bench.provider.loses_refunds.store(true, Ordering::SeqCst);
    let (order, first, second) = (OrderId::new(), RefundId::new(), RefundId::new());
    bench.charge(order, 1000, "tok_success").await;
    let outcome = |answer: Value| answer["data"]["refundPart"]["outcome"].clone();
    assert_eq!(outcome(bench.refund_part(order, first, 300).await), "UNKNOWN");
    assert_eq!(
        bench.ledger(order).await,
        (1000, 0),
        "nothing is booked that is not known"
    );
    for _ in 0..3 {
        assert_eq!(outcome(bench.refund_part(order, first, 300).await), "REFUNDED");
    }
    assert_eq!(bench.ledger(order).await, (1000, 300));
    let payment = bench.payment(&customer(bench.customer), order).await;
    assert_eq!(payment["status"], "PARTIALLY_REFUNDED");
    for amount in [701, 0, -1] {
        let refused = bench.refund_part(order, second, amount).await;
        assert_eq!(
            refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{refused}"
        );
    }
    assert_eq!(outcome(bench.refund_part(order, second, 700).await), "UNKNOWN");
    // What is under way counts: nothing is left for a refund of all.
    assert_eq!(bench.refund(order).await, "REFUNDED");
    assert_eq!(outcome(bench.refund_part(order, second, 700).await), "REFUNDED");
    assert_eq!(bench.ledger(order).await, (1000, 1000));
    assert_eq!(bench.provider.refunded.load(Ordering::SeqCst), 1000);
    let payment = bench.payment(&customer(bench.customer), order).await;
    assert_eq!(payment["status"], "REFUNDED");
}

#[tokio::test]
async fn concurrent_refunds_never_exceed_the_charge() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    bench.charge(order, 1000, "tok_success").await;
    let parts = (0..10).map(|_| bench.refund_part(order, RefundId::new(), 300));
    let (answers, whole) = futures::join!(futures::future::join_all(parts), bench.refund(order));
    assert_eq!(whole, "REFUNDED");
    let refused = answers
        .iter()
        .filter(|answer| answer["errors"].is_array())
        .count();
    assert!(refused >= 7, "{answers:?}");
    assert_eq!(bench.ledger(order).await, (1000, 1000));
}

#[tokio::test]
async fn a_charge_after_it_was_called_off_is_declined() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    assert_eq!(bench.outcome(order).await, Value::Null);
    assert_eq!(bench.refund(order).await, "NOT_CHARGED");
    assert_eq!(
        bench.charge(order, 1299, "tok_success").await["data"]["charge"],
        declined("called_off")
    );
    assert_eq!(bench.charges(), 0);
    assert_eq!(bench.payment(&customer(bench.customer), order).await, Value::Null);
}

#[tokio::test]
async fn only_those_concerned_see_a_payment() {
    let bench = Bench::new().await;
    let order = OrderId::new();
    bench.charge(order, 1299, "tok_success").await;
    let seen = json!({ "status": "CAPTURED", "amount": { "amount": 1299, "currency": "EUR" } });
    let auditor = Caller::User {
        id: UserId::new(),
        session: None,
        roles: vec![],
        scopes: vec!["order:read:any".to_owned()],
    };
    let cases = [
        (customer(bench.customer), seen.clone()),
        (service("order"), seen.clone()),
        (auditor, seen),
        (customer(UserId::new()), Value::Null),
        (Caller::Anonymous, Value::Null),
    ];
    for (caller, expected) in cases {
        assert_eq!(bench.payment(&caller, order).await, expected, "{caller:?}");
    }
}

#[tokio::test]
async fn only_services_charge_and_refund() {
    let bench = Bench::new().await;
    for caller in [Caller::Anonymous, customer(bench.customer)] {
        for query in [
            r#"mutation { charge(input: { orderId: "0190163d-8694-739b-aea5-966c26f8ad91", customerId: "0190163d-8694-739b-aea5-966c26f8ad91", amount: 1, currency: "EUR", token: "tok_success" }) { outcome } }"#,
            r#"mutation { refund(orderId: "0190163d-8694-739b-aea5-966c26f8ad91") { outcome } }"#,
            r#"{ chargeOutcome(orderId: "0190163d-8694-739b-aea5-966c26f8ad91") { outcome } }"#,
        ] {
            let answer = bench.call(&caller, query, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
        }
    }
}
