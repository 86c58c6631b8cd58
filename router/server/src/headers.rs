//! Which headers cross the router: few of the client's, none that speak about one connection or forge an identity.

use std::sync::Arc;

use fondaco_executor::RequestHeaders;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::auth::Caller;
use crate::identity::{CALLER_HEADER, CallerSigner};

/// Name of the header that follows a request through all services.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id taken from a client, in bytes.
const LONGEST_REQUEST_ID: usize = 128;

/// The client's request id if it is harmless in logs and headers, or a new one.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(value) if is_sane_id(value) => value.clone(),
        _ => HeaderValue::try_from(Uuid::now_v7().as_hyphenated().to_string())
            .expect("a UUID is printable ASCII"),
    }
}

fn is_sane_id(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let is_sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    !bytes.is_empty() && bytes.len() <= LONGEST_REQUEST_ID && bytes.iter().all(is_sane)
}

/// Headers that are never passed on: they describe one connection (RFC 9110, section 7.6.1) or one message, or are the
/// router's own to set.
pub fn is_forbidden(name: &HeaderName) -> bool {
    const FORBIDDEN: [&str; 20] = [
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-request-id",
    ];
    FORBIDDEN.contains(&name.as_str()) || is_identity(name)
}

/// `fondaco-*`, also spelt with underscores, which some servers read as dashes.
fn is_identity(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("fondaco-") || name.starts_with("fondaco_")
}

/// Picks the client headers that subgraphs get.
pub struct Propagation {
    names: Vec<HeaderName>,
}

impl Propagation {
    /// Propagates these headers, except those that never are.
    pub fn new(names: &[String]) -> Self {
        let names = names.iter().filter_map(|name| name.parse().ok());
        Self {
            names: names.filter(|name| !is_forbidden(name)).collect(),
        }
    }

    /// The propagated headers of one request. Headers that its `connection` header nominates stay behind.
    pub fn select(&self, headers: &HeaderMap) -> HeaderMap {
        let mut selected = HeaderMap::new();
        for name in self.names.iter().filter(|name| !is_nominated(headers, name)) {
            for value in headers.get_all(name) {
                selected.append(name, value.clone());
            }
        }
        selected
    }
}

fn is_nominated(headers: &HeaderMap, name: &HeaderName) -> bool {
    let mut values = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value
            .split(',')
            .any(|option| option.trim().eq_ignore_ascii_case(name.as_str()))
    })
}

/// The headers of one request's calls to subgraphs.
pub struct SubgraphHeaders {
    common: HeaderMap,
    caller: Caller,
    signer: Option<Arc<CallerSigner>>,
}

impl SubgraphHeaders {
    /// Request id and propagated headers are the same for every subgraph; the identity is signed for each.
    pub fn new(
        mut common: HeaderMap,
        request_id: HeaderValue,
        caller: Caller,
        signer: Option<Arc<CallerSigner>>,
    ) -> Self {
        common.insert(REQUEST_ID, request_id);
        Self {
            common,
            caller,
            signer,
        }
    }
}

impl RequestHeaders for SubgraphHeaders {
    fn headers(&self, subgraph: &str, path: &str) -> HeaderMap {
        let mut headers = self.common.clone();
        if let Some(signer) = &self.signer {
            headers.insert(CALLER_HEADER, signer.sign(&self.caller, subgraph, path));
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
        let entries = entries
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut map = HeaderMap::new();
        entries.for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    #[test]
    fn only_configured_harmless_headers_pass() {
        let configured = [
            "accept-language",
            "x-tenant",
            "fondaco-caller",
            "Fondaco_Caller",
            "TE",
            "Host",
            "x-hop",
        ];
        let propagation = Propagation::new(&configured.map(str::to_owned));
        let sent = headers(&[
            ("accept-language", "de"),
            ("x-tenant", "a"),
            ("x-tenant", "b"),
            ("x-hop", "c"),
            ("x-other", "d"),
            ("fondaco-caller", "forged"),
            ("fondaco_caller", "forged"),
            ("te", "trailers"),
            ("connection", "close, X-Hop"),
        ]);
        let passed = propagation.select(&sent);
        assert_eq!(
            passed,
            headers(&[("accept-language", "de"), ("x-tenant", "a"), ("x-tenant", "b")])
        );
    }

    #[test]
    fn request_ids_are_taken_only_if_sane() {
        for (id, taken) in [
            ("abc-123", true),
            ("0192f1b4-7c3e-7a52-9d4e-6d1b1a2c3d4e", true),
            ("a b", false),
            ("a\"b", false),
            ("", false),
        ] {
            let sent = headers(&[("x-request-id", id)]);
            assert_eq!(request_id(&sent) == id, taken, "{id}");
        }
        let long = HeaderValue::try_from("x".repeat(129)).unwrap();
        let sent = HeaderMap::from_iter([(REQUEST_ID, long.clone())]);
        assert_ne!(request_id(&sent), long);
    }
}
