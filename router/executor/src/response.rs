//! GraphQL responses: data already written as JSON, and errors.
//! <https://spec.graphql.org/September2025/#sec-Response-Format>

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A finished response.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// JSON text of `data`. `None` after a request error: the response then has no `data` key at all.
    pub data: Option<Vec<u8>>,
    /// Errors, in the order they arose.
    pub errors: Vec<GraphqlError>,
}

/// An entry of `errors`.
#[derive(Debug, Clone, Serialize)]
pub struct GraphqlError {
    /// For the developer who reads the response.
    pub message: String,
    /// Places in the client's document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// The response field that failed; empty where the error belongs to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathElement>,
    /// `code`, `service` and whatever the subgraph added.
    #[serde(skip_serializing_if = "Extensions::is_empty")]
    pub extensions: Extensions,
}

/// A position in the client's document, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A step of an error's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathElement {
    /// A response key.
    Key(String),
    /// An index in a list.
    Index(usize),
}

impl std::fmt::Display for PathElement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// Extensions of an error, each value as JSON text.
#[derive(Debug, Clone, Default)]
pub struct Extensions(Vec<(String, Box<RawValue>)>);

impl Response {
    /// The response to a request that could not be executed.
    pub fn request_error(errors: Vec<GraphqlError>) -> Self {
        Self { data: None, errors }
    }

    /// True where execution never began, which HTTP tells with status 400.
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }

    /// The response as JSON text, errors first as the specification advises.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.data.as_ref().map_or(0, Vec::len) + 16);
        out.push(b'{');
        if !self.errors.is_empty() {
            out.extend_from_slice(b"\"errors\":");
            serde_json::to_writer(&mut out, &self.errors).expect("errors are made of strings and JSON");
        }
        if let Some(data) = &self.data {
            out.extend_from_slice(if self.errors.is_empty() {
                b"\"data\":"
            } else {
                b",\"data\":"
            });
            out.extend_from_slice(data);
        }
        out.push(b'}');
        out
    }
}

impl GraphqlError {
    /// An error with a message and a code.
    pub fn new(message: impl Into<String>, code: &str) -> Self {
        let mut extensions = Extensions::default();
        extensions.insert("code", code);
        Self {
            message: message.into(),
            locations: Vec::new(),
            path: Vec::new(),
            extensions,
        }
    }

    /// The same error at a path of the response.
    pub fn at(mut self, path: Vec<PathElement>) -> Self {
        self.path = path;
        self
    }
}

impl Extensions {
    /// Sets one extension.
    pub fn insert(&mut self, key: &str, value: impl Serialize) {
        let json = serde_json::value::to_raw_value(&value).expect("extensions are serialisable");
        self.insert_json(key.to_owned(), json);
    }

    /// Sets one extension to a value written as JSON.
    pub(crate) fn insert_json(&mut self, key: String, json: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, value)) => *value = json,
            None => self.0.push((key, json)),
        }
    }

    /// JSON text of one extension.
    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| &**value)
    }

    /// True without extensions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Extensions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Serialize for PathElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PathElement::Key(key) => serializer.serialize_str(key),
            PathElement::Index(index) => serializer.serialize_u64(*index as u64),
        }
    }
}

impl From<&str> for PathElement {
    fn from(key: &str) -> Self {
        PathElement::Key(key.to_owned())
    }
}

impl From<usize> for PathElement {
    fn from(index: usize) -> Self {
        PathElement::Index(index)
    }
}
