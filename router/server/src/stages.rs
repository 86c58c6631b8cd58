//! The stages that [`crate::pipeline`] names.

use std::borrow::Cow;
use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::executable::{Operation, OperationType};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use fondaco_executor::{ExecutionRequest, GraphqlError, PreparedOperation, Response, Restriction};
use fondaco_planner::query_plan::QueryPlan;
use fondaco_planner::{OverrideLabels, PlanError};
use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::active_supergraph::ActiveSupergraph;
use crate::auth::Caller;
use crate::auth::directives::{self, Denial, Filtered, Gates, Outcome};
use crate::auth::policies::{Granted, Policies};
use crate::auth::visible_schema::visible_schema;
use crate::config::{AuthorizationConfig, AuthorizationMode, LimitsConfig, RouterConfig};
use crate::error::{LimitExceeded, RequestError, from_diagnostics};
use crate::graphql_over_http::GraphqlRequest;
use crate::headers::SubgraphHeaders;
use crate::limits;
use crate::operation_log::signature;
use crate::plan_cache::{PlannedOperation, ValidOperation};

/// The stages, with what the configuration says about them.
pub struct Stages {
    limits: LimitsConfig,
    introspection: bool,
    authorization: AuthorizationConfig,
    policies: Policies,
    /// Whether operations are logged.
    signs: bool,
    /// Mutations that are running, also for clients that went away.
    mutations: TaskTracker,
}

impl Stages {
    /// Stages that act by this configuration.
    pub fn new(config: &RouterConfig) -> Self {
        Self {
            limits: config.limits.clone(),
            introspection: config.introspection,
            authorization: config.authorization.clone(),
            policies: Policies::new(&config.authorization.policies),
            signs: config.operation_log.is_on(),
            mutations: TaskTracker::new(),
        }
    }

    /// Waits until no mutation runs any more. Call it once no new ones can start.
    pub async fn finish_mutations(&self) {
        self.mutations.close();
        self.mutations.wait().await;
    }

    /// Finds the operation, or parses and validates it on a thread where that delays nobody.
    pub async fn prepare(
        self: &Arc<Self>,
        active: &Arc<ActiveSupergraph>,
        request: &GraphqlRequest<'_>,
    ) -> Result<Arc<ValidOperation>, RequestError> {
        let name = request.operation_name.as_deref();
        let compute = async {
            let (stages, active) = (Arc::clone(self), Arc::clone(active));
            let (text, name) = (request.query.to_string(), name.map(str::to_owned));
            on_blocking_thread(move || stages.prepare_now(&active, text, name.as_deref())).await
        };
        active.cache.operation(&request.query, name, compute).await
    }

    fn prepare_now(
        &self,
        active: &ActiveSupergraph,
        text: String,
        name: Option<&str>,
    ) -> Result<ValidOperation, RequestError> {
        let parsed = parse(text, &self.limits)?;
        limits::check(&parsed, &self.limits).map_err(RequestError::Limit)?;
        let document = validate(active, &parsed)?;
        let operation = select(&document, name)?;
        if operation.is_subscription() {
            return Err(RequestError::SubscriptionsUnsupported);
        }
        let mut gates = Gates::of(&document, &operation, &active.supergraph);
        if asks_about_schema(&document, &operation) {
            if !self.introspection {
                return Err(RequestError::IntrospectionDisabled);
            }
            if self.authorization.hide_from_introspection {
                gates.add_all(&active.supergraph);
            }
        }
        let schema = active.supergraph.api_schema();
        let signature = self.signs.then(|| signature(schema, &document, &operation));
        Ok(ValidOperation::new(Arc::new(document), operation, gates).signed(signature))
    }

    /// Mutations change things, so they may not be sent by GET.
    pub fn check_method(
        &self,
        operation: &ValidOperation,
        request: &GraphqlRequest<'_>,
    ) -> Result<(), RequestError> {
        if request.read_only && operation.kind() != OperationType::Query {
            return Err(RequestError::GetNotQuery(operation.kind().name()));
        }
        Ok(())
    }

    /// Which of the policies that the operation touches are granted to the caller.
    pub async fn decide_policies(&self, operation: &ValidOperation, caller: &Caller) -> Granted {
        self.policies.decide(operation.gates.policies(), caller).await
    }

    /// Which of the operation's requirements the caller does not meet. In a dry run that is only logged.
    pub fn authorise(
        &self,
        active: &ActiveSupergraph,
        operation: &ValidOperation,
        caller: &Caller,
        granted: &Granted,
    ) -> Outcome {
        let outcome = operation.gates.outcome(caller, granted);
        if !self.authorization.dry_run || outcome.is_open() {
            return outcome;
        }
        let filtered = filter(active, operation, &outcome);
        for denial in &filtered.denials {
            let path = denial.error.path.iter().map(ToString::to_string);
            let path = path.collect::<Vec<_>>().join(".");
            tracing::warn!(authorization.denied = path, "dry run: this field would be denied");
        }
        Outcome::default()
    }

    /// Finds the plan for this outcome and these override labels, or makes it on a thread where that delays nobody.
    pub async fn plan(
        &self,
        active: &Arc<ActiveSupergraph>,
        operation: &Arc<ValidOperation>,
        outcome: Outcome,
        labels: &OverrideLabels,
    ) -> Result<Arc<PlannedOperation>, RequestError> {
        let key = outcome.clone();
        let compute = async {
            let (active, operation, labels) = (Arc::clone(active), Arc::clone(operation), labels.clone());
            let hide = self.authorization.hide_from_introspection;
            on_blocking_thread(move || plan_now(&active, &operation, &outcome, &labels, hide)).await
        };
        active.cache.plan(operation, key, labels.clone(), compute).await
    }

    /// The errors for what was left out and was asked for under this request's variables; in reject mode they refuse it.
    pub fn denials(
        &self,
        operation: &ValidOperation,
        plan: &PlannedOperation,
        request: &GraphqlRequest<'_>,
    ) -> Result<Vec<GraphqlError>, RequestError> {
        if plan.denials.is_empty() {
            return Ok(Vec::new());
        }
        let errors = asked_for(&plan.denials, &operation.operation, request.variables.as_deref());
        match self.authorization.mode {
            AuthorizationMode::Reject if !errors.is_empty() => Err(RequestError::Unauthorized(errors)),
            _ => Ok(errors),
        }
    }

    /// Runs the plan. A mutation runs to its end even where its client goes away meanwhile.
    pub async fn execute(
        &self,
        active: &Arc<ActiveSupergraph>,
        operation: &ValidOperation,
        plan: Arc<PlannedOperation>,
        request: GraphqlRequest<'_>,
        headers: SubgraphHeaders,
        errors: Vec<GraphqlError>,
    ) -> Result<Response, RequestError> {
        if operation.kind() == OperationType::Query {
            return Ok(execute_now(active, &plan, request.variables.as_deref(), &headers, errors).await);
        }
        let active = Arc::clone(active);
        let variables = request.variables.map(Cow::into_owned);
        let run = async move { execute_now(&active, &plan, variables.as_deref(), &headers, errors).await };
        self.mutations
            .spawn(run)
            .await
            .map_err(|error| internal("mutation ended early", &error))
    }
}

fn parse(text: String, limits: &LimitsConfig) -> Result<ast::Document, RequestError> {
    // Values nest too; the exact depth of fields is measured once the document is parsed.
    let nesting = limits.depth * 2 + 32;
    let mut parser = Parser::new().token_limit(limits.tokens).recursion_limit(nesting);
    parser.parse_ast(text, "operation.graphql").map_err(|failed| {
        if parser.recursion_reached() > nesting {
            RequestError::Limit(LimitExceeded::Depth(limits.depth))
        } else if parser.tokens_reached() > limits.tokens {
            RequestError::Limit(LimitExceeded::Tokens(limits.tokens))
        } else {
            RequestError::Parse(from_diagnostics(&failed.errors, "GRAPHQL_PARSE_FAILED"))
        }
    })
}

fn validate(
    active: &ActiveSupergraph,
    parsed: &ast::Document,
) -> Result<Valid<ExecutableDocument>, RequestError> {
    parsed
        .to_executable_validate(active.supergraph.api_schema())
        .map_err(|failed| {
            RequestError::Validation(from_diagnostics(&failed.errors, "GRAPHQL_VALIDATION_FAILED"))
        })
}

fn select(document: &ExecutableDocument, name: Option<&str>) -> Result<Node<Operation>, RequestError> {
    document
        .operations
        .get(name)
        .cloned()
        .map_err(|error| RequestError::OperationResolution(error.message().to_string()))
}

fn asks_about_schema(document: &ExecutableDocument, operation: &Operation) -> bool {
    operation
        .root_fields(document)
        .any(|field| field.name == "__schema" || field.name == "__type")
}

fn plan_now(
    active: &ActiveSupergraph,
    operation: &ValidOperation,
    outcome: &Outcome,
    labels: &OverrideLabels,
    hide: bool,
) -> Result<PlannedOperation, RequestError> {
    if outcome.is_open() {
        plan_whole(active, operation, labels)
    } else {
        plan_permitted(active, operation, outcome, labels, hide)
    }
}

fn plan_whole(
    active: &ActiveSupergraph,
    operation: &ValidOperation,
    labels: &OverrideLabels,
) -> Result<PlannedOperation, RequestError> {
    let name = operation.name().map(|name| name.as_str());
    let plan = plan_document(active, &operation.document, name, labels)?;
    let met_labels = plan.override_labels.clone();
    let schema = Arc::clone(active.supergraph.api_schema());
    let prepared = PreparedOperation::new(schema, Arc::clone(&operation.document), name, plan)
        .map_err(|error| internal("operation could not be prepared", &error))?;
    Ok(PlannedOperation {
        prepared,
        denials: Vec::new(),
        met_labels,
    })
}

fn plan_permitted(
    active: &ActiveSupergraph,
    operation: &ValidOperation,
    outcome: &Outcome,
    labels: &OverrideLabels,
    hide: bool,
) -> Result<PlannedOperation, RequestError> {
    let name = operation.name().map(|name| name.as_str());
    let filtered = filter(active, operation, outcome);
    let plan = match &filtered.document {
        Some(document) => plan_document(active, document, name, labels)?,
        None => empty_plan(operation.kind()),
    };
    let met_labels = plan.override_labels.clone();
    let schema = Arc::clone(active.supergraph.api_schema());
    let visible_schema = if hide && asks_about_schema(&operation.document, &operation.operation) {
        Arc::new(visible_to(active, operation, outcome))
    } else {
        Arc::clone(&schema)
    };
    let restriction = Restriction {
        permitted: filtered.document.as_deref(),
        visible_schema,
    };
    let document = Arc::clone(&operation.document);
    let prepared = PreparedOperation::restricted(schema, document, name, plan, restriction)
        .map_err(|error| internal("operation could not be prepared", &error))?;
    Ok(PlannedOperation {
        prepared,
        denials: filtered.denials,
        met_labels,
    })
}

fn filter(active: &ActiveSupergraph, operation: &ValidOperation, outcome: &Outcome) -> Filtered {
    let (document, of) = (&operation.document, &operation.operation);
    directives::filter(document, of, &active.supergraph, &operation.gates, outcome)
}

fn visible_to(active: &ActiveSupergraph, operation: &ValidOperation, outcome: &Outcome) -> Valid<Schema> {
    let shut: Vec<_> = operation.gates.shut(outcome).collect();
    let supergraph = &active.supergraph;
    visible_schema(
        supergraph.api_schema(),
        supergraph.requirements(),
        &|requirement| shut.contains(&requirement),
    )
}

fn plan_document(
    active: &ActiveSupergraph,
    document: &Valid<ExecutableDocument>,
    name: Option<&str>,
    labels: &OverrideLabels,
) -> Result<QueryPlan, RequestError> {
    let planned = active.planner.plan(document, name, labels);
    planned.map_err(|error| match error {
        PlanError::TooComplex(limit) => RequestError::Limit(LimitExceeded::Complexity(limit)),
        PlanError::TooDeep(limit) => RequestError::Limit(LimitExceeded::Depth(limit)),
        error => internal("operation could not be planned", &error),
    })
}

fn empty_plan(operation_type: OperationType) -> QueryPlan {
    QueryPlan {
        operation_type,
        fetches: Vec::new(),
        search_exhausted: false,
        override_labels: Vec::new(),
    }
}

fn asked_for(denials: &[Denial], operation: &Operation, variables: Option<&str>) -> Vec<GraphqlError> {
    let variables: Map<String, Value> = variables
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let holds = |(name, expected): &(Name, bool)| boolean(operation, &variables, name) == Some(*expected);
    let asked_for = denials
        .iter()
        .filter(|denial| denial.conditions.iter().all(holds));
    asked_for.map(|denial| denial.error.clone()).collect()
}

fn boolean(operation: &Operation, variables: &Map<String, Value>, name: &str) -> Option<bool> {
    let default = || {
        let definition = operation
            .variables
            .iter()
            .find(|variable| variable.name == name)?;
        definition.default_value.as_ref()?.to_bool()
    };
    variables.get(name).map_or_else(default, Value::as_bool)
}

async fn execute_now(
    active: &ActiveSupergraph,
    plan: &PlannedOperation,
    variables: Option<&str>,
    headers: &SubgraphHeaders,
    errors: Vec<GraphqlError>,
) -> Response {
    active
        .executor
        .execute(
            &plan.prepared,
            ExecutionRequest {
                variables,
                headers,
                errors,
            },
        )
        .await
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RequestError> + Send + 'static,
) -> Result<T, RequestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(internal("preparing an operation ended early", &error)),
    }
}

fn internal(what: &'static str, error: &dyn std::error::Error) -> RequestError {
    tracing::error!(error = %error, "{what}");
    RequestError::Internal
}
