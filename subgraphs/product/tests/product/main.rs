//! The product service in process, against a real Postgres.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod kept;
mod listing;
mod statements;
mod writing;

use fondaco_chassis::{Caller, Service, testing::TestRuntime};
use fondaco_product::ProductConfig;
use serde_json::{Value, json};

/// The service with the demo catalogue, in a database of its own.
struct Shop {
    runtime: TestRuntime,
    service: Service,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(ProductConfig {
            demo: true,
            ..ProductConfig::default()
        })
        .await
    }

    async fn open_with(config: ProductConfig) -> Self {
        let runtime = TestRuntime::new();
        let service = fondaco_product::start(&config, &runtime.runtime).await.unwrap();
        Self { runtime, service }
    }

    async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        self.runtime
            .call(&self.service.router, "product", caller, query, variables)
            .await
    }

    /// The data of an answer without errors.
    async fn data(&self, query: &str) -> Value {
        let answer = self.ask(&Caller::Anonymous, query, json!({})).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        answer["data"].clone()
    }

    /// The code of the first error of an answer.
    async fn error_code(&self, caller: &Caller, query: &str) -> String {
        let answer = self.ask(caller, query, json!({})).await;
        answer["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }
}

#[tokio::test]
async fn a_second_start_keeps_what_exists() {
    let shop = Shop::open().await;
    let query = "{ products(first: 100, sort: NAME) { edges { node { id name } } } }";
    let before = shop.data(query).await;
    assert_eq!(before["products"]["edges"].as_array().map(Vec::len), Some(60));
    let config = ProductConfig {
        demo: true,
        ..ProductConfig::default()
    };
    fondaco_product::start(&config, &shop.runtime.runtime)
        .await
        .unwrap();
    assert_eq!(shop.data(query).await, before);
}
