//! GraphQL over HTTP: requests in, answers out, by the GraphQL over HTTP specification.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use bytes::Bytes;
use fondaco_executor::Response as GraphqlResponse;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::RequestError;
use crate::media_type::{self, ContentType, Format};

/// A well-formed GraphQL request (GraphQL over HTTP, section 5.1). `extensions` are checked, but none is known.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphqlRequest<'a> {
    /// The document.
    pub query: Cow<'a, str>,
    /// Which operation of the document to execute.
    pub operation_name: Option<Cow<'a, str>>,
    /// JSON text of the object that holds the variables' values.
    pub variables: Option<Cow<'a, str>>,
    /// The request came by GET: only queries may be executed.
    pub read_only: bool,
}

/// Format of the answer to a GraphQL request; clients that do not say get `application/json`.
pub fn answer_format(headers: &HeaderMap) -> Result<Format, RequestError> {
    if !headers.contains_key(http::header::ACCEPT) {
        return Ok(Format::Json);
    }
    media_type::negotiate(headers, &[Format::GraphqlResponse, Format::Json])
        .ok_or(RequestError::NotAcceptable)
}

/// Whether this is a browser opening the address, rather than a GraphQL client.
pub fn prefers_html(method: &Method, headers: &HeaderMap) -> bool {
    let offers = [Format::GraphqlResponse, Format::Json, Format::Html];
    *method == Method::GET && media_type::negotiate(headers, &offers) == Some(Format::Html)
}

/// Refuses what is not JSON, and what another site's page could send without the browser asking first.
pub fn check_content_type(headers: &HeaderMap, csrf_headers: &[String]) -> Result<(), RequestError> {
    match media_type::content_type(headers) {
        ContentType::Json => Ok(()),
        ContentType::Unsupported => Err(RequestError::UnsupportedMediaType),
        ContentType::Simple(name) if !has_any(headers, csrf_headers) => {
            Err(RequestError::CrossSite(format!("A content-type of {name}")))
        }
        ContentType::Simple("none" | "text/plain") => Ok(()),
        ContentType::Simple(_) => Err(RequestError::UnsupportedMediaType),
    }
}

/// Refuses a GET by cookie, which another site's page could have a browser send without it asking first.
pub fn check_cookie(
    method: &Method,
    headers: &HeaderMap,
    csrf_headers: &[String],
) -> Result<(), RequestError> {
    if *method == Method::GET && !has_any(headers, csrf_headers) {
        return Err(RequestError::CrossSite("A GET with a cookie".to_owned()));
    }
    Ok(())
}

fn has_any(headers: &HeaderMap, names: &[String]) -> bool {
    names.iter().any(|name| headers.contains_key(name))
}

/// Reads the query string of a GET request.
pub fn from_query_string(uri: &Uri) -> Result<GraphqlRequest<'static>, RequestError> {
    let Query(parameters) = Query::<QueryString>::try_from_uri(uri)
        .map_err(|_| RequestError::Malformed("The query string could not be read".to_owned()))?;
    json_object("extensions", parameters.extensions)?;
    Ok(GraphqlRequest {
        query: parameters.query.map(Cow::Owned).ok_or_else(missing_query)?,
        operation_name: parameters
            .operation_name
            .filter(|name| !name.is_empty())
            .map(Cow::Owned),
        variables: json_object("variables", parameters.variables)?.map(Cow::Owned),
        read_only: true,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn json_object(name: &str, text: Option<String>) -> Result<Option<String>, RequestError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let raw: &RawValue = serde_json::from_str(text.trim())
        .map_err(|_| RequestError::Malformed(format!("The parameter `{name}` is not JSON")))?;
    Ok(object_parameter(name, Some(raw))?.map(str::to_owned))
}

/// Reads the JSON body of a POST request.
pub fn from_json(body: &[u8]) -> Result<GraphqlRequest<'_>, RequestError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let problem = "The body must be one request: batches of requests are not served";
        return Err(RequestError::Malformed(problem.to_owned()));
    }
    let parameters: JsonBody<'_> =
        serde_json::from_slice(body).map_err(|error| json_problem(body, &error))?;
    object_parameter("extensions", parameters.extensions)?;
    Ok(GraphqlRequest {
        query: string_parameter("query", parameters.query)?.ok_or_else(missing_query)?,
        operation_name: string_parameter("operationName", parameters.operation_name)?,
        variables: object_parameter("variables", parameters.variables)?.map(Cow::Borrowed),
        read_only: false,
    })
}

/// Each parameter unread, so that one of the wrong type can be named.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonBody<'a> {
    #[serde(borrow, default)]
    query: Option<&'a RawValue>,
    #[serde(borrow, default)]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    variables: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extensions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct JsonString<'a>(#[serde(borrow)] Cow<'a, str>);

fn string_parameter<'a>(
    name: &str,
    value: Option<&'a RawValue>,
) -> Result<Option<Cow<'a, str>>, RequestError> {
    let Some(raw) = value else { return Ok(None) };
    match serde_json::from_str::<JsonString<'a>>(raw.get()) {
        Ok(JsonString(text)) => Ok(Some(text)),
        Err(_) => Err(wrong_type(name, "a string")),
    }
}

/// The JSON text was read once already, so its first byte tells its type.
fn object_parameter<'a>(name: &str, value: Option<&'a RawValue>) -> Result<Option<&'a str>, RequestError> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) if text.starts_with('{') => Ok(Some(text)),
        Some(_) => Err(wrong_type(name, "an object")),
    }
}

fn wrong_type(name: &str, expected: &str) -> RequestError {
    RequestError::Malformed(format!("The parameter `{name}` must be {expected} or null"))
}

fn missing_query() -> RequestError {
    RequestError::Malformed("The parameter `query` is missing".to_owned())
}

fn json_problem(body: &[u8], error: &serde_json::Error) -> RequestError {
    let problem = if body.is_empty() {
        "The request body is empty".to_owned()
    } else if error.is_data() {
        "The request body must be a JSON object with each parameter given once".to_owned()
    } else {
        format!(
            "The request body is not JSON: line {}, column {}",
            error.line(),
            error.column()
        )
    };
    RequestError::Malformed(problem)
}

/// The answer to an operation that reached execution.
pub fn executed(format: Format, response: &GraphqlResponse) -> Response {
    let status = match format {
        Format::GraphqlResponse if response.is_request_error() => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    respond(format, status, response.to_json().into())
}

/// The answer to a refused request.
pub fn refused(format: Format, error: &RequestError) -> Response {
    let status = match format {
        Format::Json if error.is_graphql_level() => StatusCode::OK,
        _ => error.status(),
    };
    let body = GraphqlResponse::request_error(error.errors()).to_json();
    let mut response = respond(format, status, body.into());
    match error {
        RequestError::MethodNotAllowed => {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        RequestError::GetNotQuery(_) => {
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("POST"));
        }
        RequestError::Unauthenticated(_) => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        RequestError::RateLimited { wait } => {
            // Rounded up: whoever comes back after this time is let in.
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        _ => {}
    }
    response
}

fn respond(format: Format, status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, format.content_type());
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_are_requests() {
        let cases = [
            (r#"{"query":"{ a }"}"#, "{ a }", None, None),
            (
                r#"{"query":"{ \"\u00e9\n\" }","variables":null}"#,
                "{ \"é\n\" }",
                None,
                None,
            ),
            (
                r#" {"operationName":"A","query":"x","extensions":{"a":1},"more":[]} "#,
                "x",
                Some("A"),
                None,
            ),
            (
                r#"{"query":"x","variables":{"b":1,"a":[null]}}"#,
                "x",
                None,
                Some(r#"{"b":1,"a":[null]}"#),
            ),
        ];
        for (body, query, name, variables) in cases {
            let request = from_json(body.as_bytes()).unwrap();
            assert_eq!(request.query, query, "{body}");
            assert_eq!(request.operation_name.as_deref(), name, "{body}");
            assert_eq!(request.variables.as_deref(), variables, "{body}");
        }
    }

    #[test]
    fn bodies_that_are_not() {
        let cases = [
            ("", "empty"),
            ("{", "not JSON: line 1"),
            ("nonsense", "not JSON"),
            ("null", "JSON object"),
            ("\"query\"", "JSON object"),
            ("[{\"query\":\"{a}\"}]", "batches"),
            ("{}", "`query` is missing"),
            (r#"{"query":null}"#, "`query` is missing"),
            (r#"{"query":1}"#, "`query` must be a string"),
            (r#"{"query":{"a":1}}"#, "`query` must be a string"),
            (r#"{"query":"x","query":"y"}"#, "given once"),
            (r#"{"query":"x"} trailing"#, "not JSON"),
            (
                r#"{"query":"x","operationName":[]}"#,
                "`operationName` must be a string",
            ),
            (r#"{"query":"x","variables":[]}"#, "`variables` must be an object"),
            (
                r#"{"query":"x","variables":"{}"}"#,
                "`variables` must be an object",
            ),
            (
                r#"{"query":"x","extensions":0}"#,
                "`extensions` must be an object",
            ),
            ("{\"query\":\"\u{1}\"}", "not JSON"),
            (r#"{"query":"\ud800"}"#, "must be a string"),
        ];
        for (body, problem) in cases {
            let message = from_json(body.as_bytes()).unwrap_err().to_string();
            assert!(message.contains(problem), "{body}: {message}");
        }
        assert!(from_json(b"{\"query\":\"\xff\"}").is_err());
    }

    #[test]
    fn query_strings() {
        let uri: Uri = "/graphql?query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName="
            .parse()
            .unwrap();
        let request = from_query_string(&uri).unwrap();
        assert_eq!(
            (&*request.query, request.operation_name.as_deref()),
            ("{a}", None)
        );
        assert_eq!(request.variables.as_deref(), Some(r#"{"x":1}"#));
        assert!(request.read_only);
        let null: Uri = "/graphql?query=a&variables=%20null&extensions=".parse().unwrap();
        assert_eq!(from_query_string(&null).unwrap().variables, None);
        let bad = [
            "/graphql",
            "/graphql?query=a&query=b",
            "/graphql?query=a&variables=%5B%5D",
            "/graphql?query=a&variables=%7B",
            "/graphql?query=a&extensions=1",
        ];
        for uri in bad {
            assert!(from_query_string(&uri.parse().unwrap()).is_err(), "{uri}");
        }
    }
}
