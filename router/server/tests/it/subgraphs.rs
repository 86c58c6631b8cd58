//! Two subgraphs in this process, which remember how they were called.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{
    EmptyMutation, EmptySubscription, Enum, ID, Interface, Object, ObjectType, Schema, SimpleObject,
};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use fondaco_executor::in_process::InProcessTransport;

/// A call that a subgraph received.
#[derive(Debug, Clone)]
pub struct Call {
    pub subgraph: &'static str,
    pub headers: HeaderMap,
    pub body: String,
}

/// What happened at the subgraphs.
#[derive(Clone, Default)]
pub struct Subgraphs {
    calls: Arc<Mutex<Vec<Call>>>,
    pub slow_mutations_finished: Arc<AtomicUsize>,
}

impl Subgraphs {
    /// The transport that reaches them.
    pub fn transport(&self) -> InProcessTransport {
        let catalog = Schema::build(CatalogQuery, CatalogMutation, EmptySubscription)
            .enable_federation()
            .data(Arc::clone(&self.slow_mutations_finished))
            .finish();
        let reviews = Schema::build(ReviewsQuery, EmptyMutation, EmptySubscription)
            .enable_federation()
            .finish();
        InProcessTransport::new()
            .with("catalog", self.service("catalog", catalog))
            .with("reviews", self.service("reviews", reviews))
    }

    /// The calls since the last time this was asked.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn service<Q, M>(&self, subgraph: &'static str, schema: Schema<Q, M, EmptySubscription>) -> axum::Router
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
    {
        let calls = Arc::clone(&self.calls);
        let serve = move |State(schema): State<Schema<Q, M, EmptySubscription>>,
                          headers: HeaderMap,
                          body: Bytes| async move {
            let body = String::from_utf8(body.to_vec()).unwrap();
            let request: async_graphql::Request = serde_json::from_str(&body).unwrap();
            calls.lock().unwrap().push(Call {
                subgraph,
                headers,
                body,
            });
            axum::Json(schema.execute(request).await)
        };
        axum::Router::new()
            .route("/graphql", post(serve))
            .with_state(schema)
    }
}

#[derive(SimpleObject)]
struct Product {
    id: ID,
    name: String,
    cost: Option<i32>,
    margin: i32,
    supplier: Option<String>,
    grade: Option<Grade>,
}

impl Product {
    fn sample() -> Self {
        Self {
            id: "1".into(),
            name: "Lamp".into(),
            cost: Some(7),
            margin: 3,
            supplier: Some("Murano".into()),
            grade: Some(Grade::A),
        }
    }
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum Grade {
    A,
    B,
}

#[derive(Interface)]
#[graphql(
    field(name = "label", ty = "&Option<String>"),
    field(name = "code", ty = "&Option<String>")
)]
enum Item {
    Book(Book),
    Weapon(Weapon),
}

#[derive(SimpleObject)]
struct Book {
    label: Option<String>,
    code: Option<String>,
}

#[derive(SimpleObject)]
struct Weapon {
    label: Option<String>,
    code: Option<String>,
}

#[derive(SimpleObject)]
struct Vault {
    gold: Option<i32>,
}

#[derive(SimpleObject)]
struct Parcel {
    id: ID,
    weight: Option<i32>,
}

struct CatalogQuery;

#[Object]
impl CatalogQuery {
    async fn product(&self) -> Option<Product> {
        Some(Product::sample())
    }
    async fn products(&self) -> Vec<Product> {
        vec![Product::sample(), Product::sample()]
    }
    async fn price(&self, of: i32) -> i32 {
        of * 2
    }
    async fn items(&self) -> Vec<Item> {
        let book = Book {
            label: Some("book".to_owned()),
            code: Some("book-code".to_owned()),
        };
        let sword = Weapon {
            label: Some("sword".to_owned()),
            code: Some("sword-code".to_owned()),
        };
        vec![Item::Book(book), Item::Weapon(sword)]
    }
    async fn vault(&self) -> Option<Vault> {
        Some(Vault { gold: Some(1) })
    }
    async fn parcel(&self) -> Option<Parcel> {
        Some(Parcel {
            id: "parcel-1".into(),
            weight: Some(4),
        })
    }
    async fn account(&self) -> Option<String> {
        Some("account".to_owned())
    }
    async fn slow(&self) -> Option<bool> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        Some(true)
    }
    async fn broken(&self) -> async_graphql::Result<Option<String>> {
        Err("it broke".into())
    }
    #[graphql(entity)]
    async fn find_parcel(&self, id: ID) -> Option<Parcel> {
        Some(Parcel { id, weight: Some(4) })
    }
    #[graphql(entity)]
    async fn find_product(&self, id: ID) -> Option<Product> {
        Some(Product {
            id,
            ..Product::sample()
        })
    }
}

struct CatalogMutation;

#[Object]
impl CatalogMutation {
    async fn rename(&self, name: String) -> Option<Product> {
        Some(Product {
            name,
            ..Product::sample()
        })
    }
    async fn erase(&self) -> Option<bool> {
        Some(true)
    }
    async fn slowly(&self, ctx: &async_graphql::Context<'_>) -> Option<bool> {
        tokio::time::sleep(Duration::from_millis(600)).await;
        ctx.data_unchecked::<Arc<AtomicUsize>>()
            .fetch_add(1, Ordering::SeqCst);
        Some(true)
    }
}

#[derive(SimpleObject)]
#[graphql(name = "Product")]
struct ReviewedProduct {
    id: ID,
    stars: Option<i32>,
}

/// `fee` and `note` need the weight, which the router fetches from the other subgraph.
#[derive(SimpleObject)]
#[graphql(name = "Parcel")]
struct PricedParcel {
    id: ID,
    weight: i32,
    fee: i32,
    note: String,
}

struct ReviewsQuery;

#[Object]
impl ReviewsQuery {
    #[graphql(entity)]
    async fn find_product(&self, id: ID) -> Option<ReviewedProduct> {
        Some(ReviewedProduct { id, stars: Some(5) })
    }
    #[graphql(entity)]
    async fn find_parcel(&self, id: ID, weight: i32) -> PricedParcel {
        PricedParcel {
            id,
            weight,
            fee: weight * 3,
            note: format!("{weight} kg"),
        }
    }
}
