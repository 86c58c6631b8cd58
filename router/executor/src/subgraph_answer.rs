//! A subgraph's GraphQL answer, checked, or why there is none.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;

use crate::response::PathElement;
use crate::transport::TransportError;
use crate::value::{Object, ParseError, Value};

/// `data` and `errors` of an answer. At least one of them says something.
#[derive(Debug)]
pub struct SubgraphAnswer<'a> {
    /// `None` where the subgraph sent `null` or nothing.
    pub data: Option<Object<'a>>,
    /// Errors in the subgraph's order.
    pub errors: Vec<SubgraphError<'a>>,
}

/// An error as the subgraph reported it.
#[derive(Debug)]
pub struct SubgraphError<'a> {
    /// Message.
    pub message: String,
    /// Path in the subgraph's own response.
    pub path: Vec<PathElement>,
    /// Extensions.
    pub extensions: Object<'a>,
}

/// Why a fetch brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchFault {
    /// No answer at all.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An HTTP status other than success, and no GraphQL errors in the body.
    #[error("the subgraph answered with HTTP status {0}")]
    Status(StatusCode),
    /// A body that says it is not JSON.
    #[error("the subgraph answered with content type `{0}` instead of JSON")]
    ContentType(String),
    /// A body that is not JSON.
    #[error("the subgraph's answer could not be read: {0}")]
    NotJson(#[from] ParseError),
    /// JSON, but not a GraphQL response to what was asked.
    #[error("the subgraph's answer is malformed: {0}")]
    Malformed(&'static str),
}

impl FetchFault {
    /// `extensions.code` of the client's error.
    pub fn code(&self) -> &'static str {
        match self {
            FetchFault::Transport(TransportError::TimedOut(_)) => "REQUEST_TIMEOUT",
            FetchFault::Transport(_) | FetchFault::Status(_) | FetchFault::ContentType(_) => {
                "SUBREQUEST_HTTP_ERROR"
            }
            FetchFault::NotJson(_) | FetchFault::Malformed(_) => "SUBREQUEST_MALFORMED_RESPONSE",
        }
    }
}

impl<'a> SubgraphAnswer<'a> {
    /// Reads an HTTP response. A failing status counts only where the body brings no GraphQL errors of its own.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &'a str) -> Result<Self, FetchFault> {
        if !status.is_success() {
            let answer = Self::parse(body).ok().filter(|answer| !answer.errors.is_empty());
            return answer.ok_or(FetchFault::Status(status));
        }
        match headers.get(CONTENT_TYPE) {
            Some(found) if !is_json(found.as_bytes()) => Err(FetchFault::ContentType(
                String::from_utf8_lossy(found.as_bytes()).into_owned(),
            )),
            _ => Self::parse(body),
        }
    }

    fn parse(body: &'a str) -> Result<Self, FetchFault> {
        let Value::Object(mut answer) = Value::parse(body)? else {
            return Err(FetchFault::Malformed("it is not a JSON object"));
        };
        let errors = match answer.take("errors") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(errors)) => errors
                .into_iter()
                .map(SubgraphError::read)
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(FetchFault::Malformed("`errors` is not a list")),
        };
        match answer.take("data") {
            Some(Value::Object(data)) => Ok(Self {
                data: Some(data),
                errors,
            }),
            None | Some(Value::Null) if !errors.is_empty() => Ok(Self { data: None, errors }),
            None => Err(FetchFault::Malformed("it has neither `data` nor `errors`")),
            Some(Value::Null) => Err(FetchFault::Malformed("`data` is null without an error")),
            Some(_) => Err(FetchFault::Malformed("`data` is not an object")),
        }
    }
}

impl<'a> SubgraphError<'a> {
    fn read(error: Value<'a>) -> Result<Self, FetchFault> {
        let Value::Object(mut error) = error else {
            return Err(FetchFault::Malformed("an error is not an object"));
        };
        let Some(message) = error
            .get("message")
            .and_then(Value::as_raw_str)
            .and_then(unquoted)
        else {
            return Err(FetchFault::Malformed("an error has no message"));
        };
        let path = match error.get("path") {
            Some(Value::Array(steps)) => steps.iter().map_while(path_element).collect(),
            _ => Vec::new(),
        };
        let extensions = match error.take("extensions") {
            Some(Value::Object(extensions)) => extensions,
            _ => Object::default(),
        };
        Ok(Self {
            message,
            path,
            extensions,
        })
    }

    /// Extensions as names and JSON texts.
    pub(crate) fn extensions(&self) -> impl Iterator<Item = (String, Box<RawValue>)> {
        self.extensions
            .iter()
            .filter_map(|(key, value)| Some((unquoted(key)?, RawValue::from_string(value.to_string()).ok()?)))
    }
}

fn path_element(step: &Value<'_>) -> Option<PathElement> {
    match step {
        Value::String(key) => unquoted(key).map(PathElement::Key),
        Value::Number(index) => index.parse().ok().map(PathElement::Index),
        _ => None,
    }
}

/// The text a raw JSON string stands for.
fn unquoted(raw: &str) -> Option<String> {
    if raw.contains('\\') {
        serde_json::from_str(&format!("\"{raw}\"")).ok()
    } else {
        Some(raw.to_owned())
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    essence.eq_ignore_ascii_case(b"application/json") || essence.to_ascii_lowercase().ends_with(b"+json")
}
