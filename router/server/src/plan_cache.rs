//! Remembers operations: parsed and validated by their text, planned by what their caller may see and which overrides of
//! what they touch are in force.
//!
//! The caches belong to one schema and go with it. A request that hits parses and plans nothing; of requests that miss
//! together one computes and the others wait for it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

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
    /// Labels of progressive overrides that plans of it met.
    met_labels: RwLock<BTreeSet<Arc<str>>>,
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
            met_labels: RwLock::default(),
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

    /// Those of the labels that a plan of it is known to depend on.
    fn relevant(&self, labels: &OverrideLabels) -> OverrideLabels {
        if labels.is_empty() {
            return OverrideLabels::default();
        }
        labels.among(&self.met_labels.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn meet(&self, labels: &[Arc<str>]) {
        if !labels.is_empty() {
            let mut met = self.met_labels.write().unwrap_or_else(PoisonError::into_inner);
            met.extend(labels.iter().cloned());
        }
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
    /// Labels of progressive overrides that planning met.
    pub met_labels: Vec<Arc<str>>,
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
    ///
    /// A plan is kept under those of the labels that plans of the operation met: others decide about fields that it never
    /// touches. This is right although more labels may be met later: a plan depends only on labels met when it was kept, and
    /// on all of these the labels under which it is found agree with those it was made for.
    pub async fn plan(
        &self,
        operation: &ValidOperation,
        outcome: Outcome,
        labels: OverrideLabels,
        plan: impl Future<Output = Result<PlannedOperation, RequestError>>,
    ) -> Result<Arc<PlannedOperation>, RequestError> {
        let mut key = PlanKey {
            operation: operation.id,
            outcome,
            labels: operation.relevant(&labels),
        };
        if let Some(known) = self.plans.get(&key) {
            return Ok(known);
        }
        // Which labels count is not known before there is a plan: requests that miss together must agree on all.
        key.labels = labels;
        let planned = async {
            let planned = plan.await?;
            operation.meet(&planned.met_labels);
            Ok(Arc::new(planned))
        };
        let planned = self.plans.get_or_insert_async(&key, planned).await?;
        let relevant = operation.relevant(&key.labels);
        if relevant != key.labels {
            self.plans.remove(&key);
            key.labels = relevant;
            self.plans.insert(key, planned.clone());
        }
        Ok(planned)
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

    fn labels(active: &[&str]) -> OverrideLabels {
        active.iter().map(|label| Arc::from(*label)).collect()
    }

    fn planned(operation: &ValidOperation, met: &[&str]) -> PlannedOperation {
        let schema = Schema::parse_and_validate("type Query { a: Int }", "schema.graphql").unwrap();
        let plan = fondaco_planner::query_plan::QueryPlan {
            operation_type: OperationType::Query,
            fetches: Vec::new(),
            search_exhausted: false,
            override_labels: Vec::new(),
        };
        let document = Arc::clone(&operation.document);
        PlannedOperation {
            prepared: PreparedOperation::new(Arc::new(schema), document, None, plan).unwrap(),
            denials: Vec::new(),
            met_labels: met.iter().map(|label| Arc::from(*label)).collect(),
        }
    }

    #[tokio::test]
    async fn labels_that_an_operation_never_meets_do_not_split_its_plans() {
        let cache = PlanCache::new(10);
        let operation = valid_operation();
        let computed = AtomicU64::new(0);
        let plan = |active: &[&str], met: &'static [&'static str]| {
            let (cache, operation, computed) = (&cache, &operation, &computed);
            let compute = async move {
                computed.fetch_add(1, Ordering::Relaxed);
                Ok(planned(operation, met))
            };
            cache.plan(operation, Outcome::default(), labels(active), compute)
        };
        let steps: [(&[&str], &[&str], u64); 9] = [
            (&["other"], &["a"], 1),
            (&["other"], &["a"], 1),
            (&[], &["a"], 1),
            (&["other", "yet another"], &["a"], 1),
            // Where `a` is in force, `b` decides too.
            (&["a", "other"], &["a", "b"], 2),
            (&["a"], &["a", "b"], 2),
            (&["a", "b"], &["a", "b"], 3),
            (&["a", "b", "other"], &["a", "b"], 3),
            (&["other"], &["a"], 3),
        ];
        for (step, (active, met, expected)) in steps.into_iter().enumerate() {
            plan(active, met).await.unwrap();
            assert_eq!(computed.load(Ordering::Relaxed), expected, "step {step}");
        }
    }
}
