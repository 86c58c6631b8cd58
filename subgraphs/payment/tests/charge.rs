//! Charges against a real Postgres: once per order, whatever is repeated, lost or interrupted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use fondaco_chassis::{
    Caller,
    testing::{TestRuntime, customer, service},
};
use fondaco_contracts::{OrderId, UserId};
use fondaco_payment::{
    config::PaymentConfig,
    provider::{ChargeRequest, NoAnswer, Provider, Verdict, sandbox::Sandbox},
};
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

/// The sandbox, counting what it is asked, and hanging for the token `hang`.
#[derive(Default)]
struct Counting {
    charges: AtomicUsize,
    refunds: AtomicUsize,
}

impl Provider for Counting {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>> {
        self.charges.fetch_add(1, Ordering::SeqCst);
        if request.token == "hang" {
            std::future::pending().boxed()
        } else {
            Sandbox.charge(request)
        }
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> BoxFuture<'a, Result<Verdict, NoAnswer>> {
        if request.token == "hang" {
            async { Ok(Verdict::Captured) }.boxed()
        } else {
            Sandbox.settle(request)
        }
    }

    fn refund(&self, order: OrderId) -> BoxFuture<'_, Result<(), NoAnswer>> {
        self.refunds.fetch_add(1, Ordering::SeqCst);
        Sandbox.refund(order)
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

    async fn outcome(&self, order: OrderId) -> Value {
        let query = "query ($id: ID!) { chargeOutcome(orderId: $id) { outcome declineCode } }";
        self.call(&service("order"), query, json!({ "id": order })).await["data"]["chargeOutcome"].take()
    }

    async fn refund(&self, order: OrderId) -> Value {
        let query = "mutation ($id: ID!) { refund(orderId: $id) { outcome } }";
        self.call(&service("order"), query, json!({ "id": order })).await["data"]["refund"]["outcome"].take()
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
    let answered = tokio::time::timeout(Duration::from_millis(100), bench.charge(order, 1299, "hang")).await;
    assert!(answered.is_err(), "the provider hangs");
    bench.router = start(&bench.test, &bench.provider).await;
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
