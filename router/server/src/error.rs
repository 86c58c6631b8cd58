//! What a client is told when its request is refused: one enum, mapped to a status and a GraphQL error here only.

use std::time::Duration;

use apollo_compiler::validation::DiagnosticList;
use fondaco_executor::{GraphqlError, Location};
use http::StatusCode;

/// Why a request was answered without executing an operation.
///
/// Messages are written for the client: they name what is wrong with the request and nothing of the router's inside.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// The body or the query string is not a GraphQL request.
    #[error("{0}")]
    Malformed(String),
    /// The request body is larger than allowed.
    #[error("The request body is larger than {limit} bytes")]
    PayloadTooLarge {
        /// Largest body accepted, in bytes.
        limit: usize,
    },
    /// The `content-type` is not `application/json` in UTF-8.
    #[error("The content-type must be application/json, in UTF-8")]
    UnsupportedMediaType,
    /// A request that browsers send across origins without asking first.
    #[error("{0} needs a header that shows the request was not forged by another site")]
    CrossSite(String),
    /// No media type of the `accept` header can be produced.
    #[error("The answer can be application/graphql-response+json or application/json, in UTF-8")]
    NotAcceptable,
    /// Neither GET nor POST.
    #[error("GraphQL is served by POST, and by GET for queries")]
    MethodNotAllowed,
    /// A mutation or subscription sent by GET.
    #[error("Only queries may be sent by GET; send a {0} by POST")]
    GetNotQuery(&'static str),
    /// The access token is not valid; the text says which property failed, not its value.
    #[error("The access token is not valid: {0}")]
    Unauthenticated(&'static str),
    /// The client has called too often.
    #[error("Too many requests; try again in {} s", .wait.as_secs() + 1)]
    RateLimited {
        /// How long it has to wait.
        wait: Duration,
    },
    /// A rule that decides about the request cannot be asked, and is configured to refuse then.
    #[error("The request cannot be decided about at the moment; try again")]
    Unavailable,
    /// The document is not GraphQL.
    #[error("The document could not be parsed")]
    Parse(Vec<GraphqlError>),
    /// The document does not fit the schema.
    #[error("The document is not valid for the schema")]
    Validation(Vec<GraphqlError>),
    /// `operationName` selects no operation.
    #[error("{0}")]
    OperationResolution(String),
    /// A limit on the operation's shape was passed.
    #[error("{0}")]
    Limit(LimitExceeded),
    /// Introspection is switched off.
    #[error("Introspection is switched off")]
    IntrospectionDisabled,
    /// The operation needs a permission the caller does not have, and the router is set to reject such operations.
    #[error("The operation needs a permission that the caller does not have")]
    Unauthorized(Vec<GraphqlError>),
    /// Subscriptions are valid GraphQL, but not served.
    #[error("Subscriptions are not served")]
    SubscriptionsUnsupported,
    /// No complete answer within the time limit.
    #[error("The request took longer than {ms} ms")]
    Timeout {
        /// The limit, in milliseconds.
        ms: u64,
    },
    /// Anything that is the router's own fault; the cause is logged, not told.
    #[error("Internal server error")]
    Internal,
}

/// Which limit an operation passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// Nesting of fields, or of values.
    #[error("The operation is nested deeper than {0} levels")]
    Depth(usize),
    /// Number of aliases, counting a fragment as often as it is spread.
    #[error("The operation uses more than {0} aliases")]
    Aliases(usize),
    /// Number of fields at the root, counting a fragment as often as it is spread.
    #[error("The operation selects more than {0} root fields")]
    RootFields(usize),
    /// Number of fields, counting a fragment as often as it is spread.
    #[error("The operation selects more than {0} fields")]
    Fields(usize),
    /// Steps that planning takes.
    #[error("The operation is too complex: planning it takes more than {0} steps")]
    Complexity(usize),
    /// Number of lexical tokens.
    #[error("The document has more than {0} tokens")]
    Tokens(usize),
}

impl LimitExceeded {
    fn code(self) -> &'static str {
        match self {
            Self::Depth(_) => "OPERATION_TOO_DEEP",
            Self::Aliases(_) => "OPERATION_TOO_MANY_ALIASES",
            Self::RootFields(_) => "OPERATION_TOO_MANY_ROOT_FIELDS",
            Self::Fields(_) => "OPERATION_TOO_MANY_FIELDS",
            Self::Complexity(_) => "OPERATION_TOO_COMPLEX",
            Self::Tokens(_) => "OPERATION_TOO_MANY_TOKENS",
        }
    }
}

impl RequestError {
    /// Stable `extensions.code` of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::GetNotQuery(_) | Self::MethodNotAllowed => "BAD_REQUEST",
            Self::PayloadTooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::CrossSite(_) => "CROSS_SITE_REQUEST",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable => "TEMPORARILY_UNAVAILABLE",
            Self::Parse(_) => "GRAPHQL_PARSE_FAILED",
            Self::Validation(_) | Self::SubscriptionsUnsupported => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationResolution(_) => "OPERATION_RESOLUTION_FAILURE",
            Self::Limit(limit) => limit.code(),
            Self::IntrospectionDisabled => "INTROSPECTION_DISABLED",
            Self::Unauthorized(_) => "UNAUTHORIZED_FIELD_OR_TYPE",
            Self::Timeout { .. } => "REQUEST_TIMEOUT",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }

    /// HTTP status under `application/graphql-response+json`.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::PayloadTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::CrossSite(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MethodNotAllowed | Self::GetNotQuery(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unauthorized(_) => StatusCode::FORBIDDEN,
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the HTTP request was well formed and only the GraphQL in it is refused.
    ///
    /// Such an answer has status 200 under `application/json` (GraphQL over HTTP, section 6.4.1).
    pub fn is_graphql_level(&self) -> bool {
        matches!(
            self,
            Self::Parse(_)
                | Self::Validation(_)
                | Self::OperationResolution(_)
                | Self::Limit(_)
                | Self::IntrospectionDisabled
                | Self::SubscriptionsUnsupported
        )
    }

    /// The `errors` list of the response.
    pub fn errors(&self) -> Vec<GraphqlError> {
        match self {
            Self::Parse(errors) | Self::Validation(errors) | Self::Unauthorized(errors)
                if !errors.is_empty() =>
            {
                errors.clone()
            }
            other => vec![GraphqlError::new(other.to_string(), other.code())],
        }
    }
}

/// Diagnostics of the GraphQL compiler as response errors, at most a page of them.
pub fn from_diagnostics(diagnostics: &DiagnosticList, code: &'static str) -> Vec<GraphqlError> {
    const MOST: usize = 20;
    diagnostics
        .iter()
        .take(MOST)
        .map(|diagnostic| from_diagnostic(&diagnostic, code))
        .collect()
}

fn from_diagnostic(
    diagnostic: &apollo_compiler::diagnostic::Diagnostic<'_, apollo_compiler::validation::DiagnosticData>,
    code: &'static str,
) -> GraphqlError {
    let json = diagnostic.to_json();
    let mut error = GraphqlError::new(json.message, code);
    error.locations = json
        .locations
        .iter()
        .map(|at| Location {
            line: at.line,
            column: at.column,
        })
        .collect();
    error
}
