//! The way of an operation through the router, stage by stage; the stages themselves are elsewhere.

use std::sync::Arc;

use axum::response::Response;
use fondaco_planner::OverrideLabels;

use crate::active_supergraph::ActiveSupergraph;
use crate::auth::Caller;
use crate::error::RequestError;
use crate::graphql_over_http::{self, GraphqlRequest};
use crate::headers::SubgraphHeaders;
use crate::media_type::Format;
use crate::stages::Stages;
use crate::telemetry::RequestLog;

/// On whom it depends what is planned.
pub struct Asker {
    /// The caller.
    pub caller: Caller,
    /// Progressive overrides in force for this request.
    pub labels: OverrideLabels,
}

/// Limits -> parse -> validate -> decide policies -> authorise -> plan -> execute -> encode. The first three and the plan are
/// remembered.
pub async fn run(
    stages: &Arc<Stages>,
    active: &Arc<ActiveSupergraph>,
    request: GraphqlRequest<'_>,
    asker: &Asker,
    headers: SubgraphHeaders,
    format: Format,
    log: &mut RequestLog,
) -> Result<Response, RequestError> {
    let operation = stages.prepare(active, &request).await?;
    log.operation(&operation);
    stages.check_method(&operation, &request)?;
    let granted = stages.decide_policies(&operation, &asker.caller).await;
    let outcome = stages.authorise(active, &operation, &asker.caller, &granted);
    let plan = stages.plan(active, &operation, outcome, &asker.labels).await?;
    let denials = stages.denials(&operation, &plan, &request)?;
    let response = stages
        .execute(active, &operation, plan, request, headers, denials)
        .await?;
    log.errors(response.errors.len());
    Ok(graphql_over_http::executed(format, &response))
}
