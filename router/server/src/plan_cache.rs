//! Remembers operations: parsed and validated by their text, planned by what their caller may see and which overrides are
//! in force.
//!
//! The caches belong to one schema and go with it. A request that hits parses and plans nothing; of requests that miss
//! together one computes and the others wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use apollo_compiler::executable::OperationType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, executable};
use fondaco_executor::PreparedOperation;
use fondaco_planner::OverrideLabels;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::auth::directives::{Denial, Gates, Outcome};
use crate::error::RequestError;

/// A valid operation of a valid document.
#[derive(Debug)]
pub struct ValidOperation {
    id: u64,
    /// The client's document.
    pub document: Arc<Valid<ExecutableDocument>>,
    /// The operation that was selected.
    pub operation: Node<executable::Operation>,
    /// What its caller must fulfil.
    pub gates: Gates,
    /// The operation without its values, where operations are logged.
    pub signature: Option<Arc<str>>,
}

impl ValidOperation {
    /// An operation with an identity of its own.
    pub fn new(
        document: Arc<Valid<ExecutableDocument>>,
        operation: Node<executable::Operation>,
        gates: Gates,
    ) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            document,
            operation,
            gates,
            signature: None,
        }
    }

    /// The same, with its signature where operations are logged.
    pub fn signed(self, signature: Option<Arc<str>>) -> Self {
        Self { signature, ..self }
    }

    /// Its name.
    pub fn name(&self) -> Option<&Name> {
        self.operation.name.as_ref()
    }

    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.operation.operation_type
    }
}

/// A planned operation, for every caller for whom the same gates are shut.
#[derive(Debug)]
pub struct PlannedOperation {
    /// What the executor runs.
    pub prepared: PreparedOperation,
    /// What was left out.
    pub denials: Vec<Denial>,
}

/// Both caches of one schema.
pub struct PlanCache {
    operations: Cache<TextKey, Arc<ValidOperation>, TextWeight>,
    plans: Cache<PlanKey, Arc<PlannedOperation>>,
}

impl PlanCache {
    /// Room for about so many operations.
    pub fn new(operations: usize) -> Self {
        let capacity = operations.max(1);
        Self {
            operations: Cache::with_weighter(capacity, capacity as u64, TextWeight),
            plans: Cache::new(capacity),
        }
    }

    /// The operation of that text and name, computed by `prepare` where it is not known. Failures are not kept.
    pub async fn operation(
        &self,
        text: &str,
        name: Option<&str>,
        prepare: impl Future<Output = Result<ValidOperation, RequestError>>,
    ) -> Result<Arc<ValidOperation>, RequestError> {
        if let Some(known) = self.operations.get(&TextKeyRef { text, name }) {
            return Ok(known);
        }
        let key = TextKey {
            text: text.to_owned(),
            name: name.map(str::to_owned),
        };
        self.operations
            .get_or_insert_async(&key, async { prepare.await.map(Arc::new) })
            .await
    }

    /// The plan of the operation for requests with that outcome and those labels, computed by `plan` where it is not known.
    pub async fn plan(
        &self,
        operation: &ValidOperation,
        outcome: Outcome,
        labels: OverrideLabels,
        plan: impl Future<Output = Result<PlannedOperation, RequestError>>,
    ) -> Result<Arc<PlannedOperation>, RequestError> {
        let key = PlanKey {
            operation: operation.id,
            outcome,
            labels,
        };
        if let Some(known) = self.plans.get(&key) {
            return Ok(known);
        }
        self.plans
            .get_or_insert_async(&key, async { plan.await.map(Arc::new) })
            .await
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct TextKey {
    text: String,
    name: Option<String>,
}

/// A borrowed [`TextKey`]; both hash alike.
#[derive(Hash)]
struct TextKeyRef<'a> {
    text: &'a str,
    name: Option<&'a str>,
}

impl Equivalent<TextKey> for TextKeyRef<'_> {
    fn equivalent(&self, key: &TextKey) -> bool {
        self.text == key.text && self.name == key.name.as_deref()
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct PlanKey {
    operation: u64,
    outcome: Outcome,
    labels: OverrideLabels,
}

/// Long documents count as several, so that the cache is bounded in bytes too.
#[derive(Clone)]
struct TextWeight;

impl Weighter<TextKey, Arc<ValidOperation>> for TextWeight {
    fn weight(&self, key: &TextKey, _: &Arc<ValidOperation>) -> u64 {
        1 + (key.text.len() / 4096) as u64
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;

    use super::*;

    fn valid_operation() -> ValidOperation {
        let schema = Schema::parse_and_validate("type Query { a: Int }", "schema.graphql").unwrap();
        let document = ExecutableDocument::parse_and_validate(&schema, "{ a }", "operation.graphql").unwrap();
        let operation = document.operations.get(None).unwrap().clone();
        ValidOperation::new(Arc::new(document), operation, Gates::default())
    }

    #[tokio::test]
    async fn requests_that_miss_together_compute_once() {
        let cache = PlanCache::new(10);
        let computed = AtomicU64::new(0);
        let lookup = |text: &'static str, name| {
            let compute = async {
                tokio::task::yield_now().await;
                computed.fetch_add(1, Ordering::Relaxed);
                Ok(valid_operation())
            };
            cache.operation(text, name, compute)
        };
        let found = futures::future::join_all((0..20).map(|_| lookup("{ a }", None))).await;
        assert!(
            found
                .iter()
                .all(|operation| operation.as_ref().unwrap().id == found[0].as_ref().unwrap().id)
        );
        assert_eq!(computed.load(Ordering::Relaxed), 1);
        lookup("{ a }", Some("A")).await.unwrap();
        lookup("{ a  }", None).await.unwrap();
        assert_eq!(computed.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn failures_are_not_kept() {
        let cache = PlanCache::new(10);
        let failing = async { Err(RequestError::Internal) };
        assert!(cache.operation("{ a }", None, failing).await.is_err());
        assert!(
            cache
                .operation("{ a }", None, async { Ok(valid_operation()) })
                .await
                .is_ok()
        );
    }
}
