//! A shop for one test: an order service with its peers, a customer, and what they do.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use fondaco_chassis::{
    Caller, Service,
    testing::{TestRuntime, customer, service},
};
use fondaco_contracts::{OrderId, RefundId, UserId};
use fondaco_order::config::OrderConfig;
use fondaco_payment::{
    config::PaymentConfig,
    provider::{Answered, ChargeRequest, Provider, RefundRequest, Verdict, sandbox::Sandbox},
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, PgPool};

use crate::peers::{Catalogue, Inventory, Switch, serve};

/// The sandbox, counting the money that moved.
#[derive(Default)]
pub struct Bank {
    pub charges: AtomicUsize,
    /// As a provider does: a refund that is asked for again moves nothing.
    pub refunds: Mutex<HashMap<RefundId, i64>>,
    pub captures: AtomicUsize,
    pub voids: AtomicUsize,
}

impl Provider for Bank {
    fn charge<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        self.charges.fetch_add(1, Ordering::SeqCst);
        Sandbox.charge(request)
    }

    fn settle<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        Sandbox.settle(request)
    }

    fn confirm<'a>(&'a self, request: &'a ChargeRequest, confirmation: &'a str) -> Answered<'a, Verdict> {
        Sandbox.confirm(request, confirmation)
    }

    fn capture<'a>(&'a self, request: &'a ChargeRequest) -> Answered<'a, Verdict> {
        self.captures.fetch_add(1, Ordering::SeqCst);
        Sandbox.capture(request)
    }

    fn void(&self, order: OrderId) -> Answered<'_, Verdict> {
        self.voids.fetch_add(1, Ordering::SeqCst);
        Sandbox.void(order)
    }

    fn refund<'a>(&'a self, request: &'a RefundRequest) -> Answered<'a, ()> {
        let mut refunds = self.refunds.lock().unwrap();
        refunds.insert(request.refund, request.amount.minor_units());
        Sandbox.refund(request)
    }
}

pub struct Shop {
    pub test: TestRuntime,
    pub router: Router,
    pub payment: Router,
    pub catalogue: Arc<Catalogue>,
    pub inventory: Arc<Inventory>,
    pub bank: Arc<Bank>,
    pub product_switch: Arc<Switch>,
    pub inventory_switch: Arc<Switch>,
    pub payment_switch: Arc<Switch>,
    pub customer: UserId,
}

/// A sweeper that never comes: what is under test must end by itself.
pub fn without_sweeper() -> OrderConfig {
    OrderConfig {
        settle_after_ms: 3_600_000,
        settle_again_ms: 3_600_000,
        lease_ms: 300,
        ..OrderConfig::default()
    }
}

/// A sweeper that is quick.
pub fn with_sweeper() -> OrderConfig {
    OrderConfig {
        settle_after_ms: 200,
        settle_again_ms: 100,
        sweep_interval_ms: 50,
        lease_ms: 300,
        ..OrderConfig::default()
    }
}

impl Shop {
    /// With an order service running.
    pub async fn open(config: &OrderConfig) -> Self {
        let mut shop = Self::closed().await;
        shop.router = shop.start(config).await.router;
        shop
    }

    /// With peers, and without an order service.
    pub async fn closed() -> Self {
        Self::closed_on(TestRuntime::new()).await
    }

    /// The same on servers of the test's own.
    pub async fn closed_on(test: TestRuntime) -> Self {
        let bank = Arc::new(Bank::default());
        let mut shop = Self {
            router: Router::new(),
            payment: Router::new(),
            catalogue: Arc::default(),
            inventory: Arc::default(),
            bank,
            product_switch: Arc::default(),
            inventory_switch: Arc::default(),
            payment_switch: Arc::default(),
            customer: UserId::new(),
            test,
        };
        shop.connect_peers().await;
        for (sku, amount) in [("COAT-M", 12_900), ("SCARF", 1_999)] {
            shop.sell(sku, amount, json!(null), 10);
        }
        shop
    }

    async fn connect_peers(&mut self) {
        let runtime = &self.test.runtime;
        let provider: Arc<dyn Provider> = Arc::<Bank>::clone(&self.bank);
        let config = PaymentConfig {
            provider_timeout_ms: 200,
            ..PaymentConfig::default()
        };
        self.payment = fondaco_payment::start_with(provider, &config, runtime)
            .await
            .unwrap()
            .router;
        let peers = &runtime.peers;
        peers.insert_http(
            "product",
            serve(self.catalogue.router(), &self.product_switch).await,
        );
        peers.insert_http(
            "inventory",
            serve(self.inventory.router(), &self.inventory_switch).await,
        );
        peers.insert_http("payment", serve(self.payment.clone(), &self.payment_switch).await);
    }

    pub async fn start(&self, config: &OrderConfig) -> Service {
        fondaco_order::start(config, &self.test.runtime).await.unwrap()
    }

    pub fn sell(&self, sku: &str, amount: i64, drop: Value, stock: i64) {
        let variant = json!({
            "sku": sku, "name": sku, "price": { "amount": amount, "currency": "EUR" }, "drop": drop, "active": true,
        });
        self.catalogue.0.lock().unwrap().insert(sku.to_owned(), variant);
        self.inventory.stock.lock().unwrap().insert(sku.to_owned(), stock);
    }

    pub fn stock(&self, sku: &str) -> i64 {
        self.inventory.stock.lock().unwrap()[sku]
    }

    pub fn charges(&self) -> usize {
        self.bank.charges.load(Ordering::SeqCst)
    }

    pub fn refunds(&self) -> usize {
        self.bank.refunds.lock().unwrap().len()
    }

    pub async fn call_as(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.test
            .call(&self.router, "order", caller, query, variables)
            .await
    }

    pub async fn call(&self, query: &str, variables: Value) -> Value {
        self.call_as(&customer(self.customer), query, variables).await
    }

    /// The whole answer to a purchase.
    pub async fn try_purchase(&self, key: &str, lines: &[(&str, i64)], token: &str) -> Value {
        let lines: Vec<_> = lines
            .iter()
            .map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity }))
            .collect();
        let input = json!({ "idempotencyKey": key, "lines": lines, "paymentToken": token });
        self.call(PURCHASE, json!({ "input": input })).await
    }

    /// The payload of a purchase.
    pub async fn purchase(&self, key: &str, lines: &[(&str, i64)], token: &str) -> Value {
        let answer = self.try_purchase(key, lines, token).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["purchase"].clone()
    }

    /// The id of a new order that is paid.
    pub async fn buy(&self, key: &str) -> String {
        let payload = self.purchase(key, &[("COAT-M", 1)], "tok_success").await;
        assert_eq!(payload["order"]["status"], "CONFIRMED", "{payload}");
        payload["order"]["id"].as_str().unwrap().to_owned()
    }

    pub async fn cancel(&self, key: &str, order: &str) -> Value {
        let query = "mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) {
            order { id status } userErrors { code field } } }";
        let answer = self
            .call(
                query,
                json!({ "input": { "orderId": order, "idempotencyKey": key } }),
            )
            .await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["cancelOrder"].clone()
    }

    /// Runs a mutation whose only argument is `input`, and gives its payload.
    pub async fn mutate(&self, field: &str, kind: &str, selection: &str, input: Value) -> Value {
        self.mutate_as(&customer(self.customer), field, kind, selection, input)
            .await
    }

    pub async fn mutate_as(
        &self,
        caller: &Caller,
        field: &str,
        kind: &str,
        selection: &str,
        input: Value,
    ) -> Value {
        let query = format!(
            "mutation ($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field }} }} }}"
        );
        let answer = self.call_as(caller, &query, json!({ "input": input })).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"][field].clone()
    }

    /// The status of an order, as the customer sees it.
    pub async fn status(&self, order: &str) -> String {
        let answer = self
            .call(
                "query ($id: ID!) { order(id: $id) { status } }",
                json!({ "id": order }),
            )
            .await;
        answer["data"]["order"]["status"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    /// Waits until an order has left PENDING.
    pub async fn settled(&self, order: &str) -> String {
        for _ in 0..200 {
            let status = self.status(order).await;
            if status != "PENDING" {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the order is not settled");
    }

    /// What payment knows about an order.
    pub async fn charge_outcome(&self, order: &str) -> Value {
        let query = "query ($id: ID!) { chargeOutcome(orderId: $id) { outcome declineCode } }";
        let answer = self
            .test
            .call(
                &self.payment,
                "payment",
                &service("order"),
                query,
                json!({ "id": order }),
            )
            .await;
        answer["data"]["chargeOutcome"].clone()
    }

    /// A connection to the order service's database.
    pub async fn database(&self) -> PgConnection {
        PgConnection::connect(&self.database_url()).await.unwrap()
    }

    /// Connections to the order service's database.
    pub async fn pool(&self) -> PgPool {
        PgPool::connect(&self.database_url()).await.unwrap()
    }

    fn database_url(&self) -> String {
        let runtime = &self.test.runtime;
        format!(
            "{}/{}order",
            runtime.database_url.trim_end_matches('/'),
            runtime.database_prefix
        )
    }

    /// The names of an order's events, in order.
    pub async fn events(&self, order: &str) -> Vec<String> {
        sqlx::query_scalar("select name from outbox where aggregate_id = $1 order by position")
            .bind(order)
            .fetch_all(&mut self.database().await)
            .await
            .unwrap()
    }

    /// How many orders there are.
    pub async fn orders(&self) -> i64 {
        sqlx::query_scalar("select count(*) from orders")
            .fetch_one(&mut self.database().await)
            .await
            .unwrap()
    }
}

pub const PURCHASE: &str = "mutation ($input: PurchaseInput!) { purchase(input: $input) {
    order { id status total { amount currency } lines { quantity unitPrice { amount } total { amount } variant { sku } } }
    userErrors { code field } } }";

/// The code and field of a payload's only user error.
pub fn error(payload: &Value) -> (&str, &str) {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload}");
    (
        errors[0]["code"].as_str().unwrap(),
        errors[0]["field"].as_str().unwrap_or_default(),
    )
}
