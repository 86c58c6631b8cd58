//! Which headers cross the router: few of the client's, none that speak about one connection or forge an identity.

use std::borrow::Cow;
use std::sync::Arc;

use fondaco_executor::RequestHeaders;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::auth::Caller;
use crate::header_rules::HeaderRules;
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
/// router's own to set. Some servers read underscores as dashes, so here both spellings are one.
pub fn is_forbidden(name: &HeaderName) -> bool {
    const FORBIDDEN: [&str; 21] = [
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
        "max-forwards",
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
    let name = with_dashes(name.as_str());
    FORBIDDEN.contains(&&*name) || name.starts_with("fondaco-")
}

/// The name as servers read it that take underscores for dashes.
pub fn with_dashes(name: &str) -> Cow<'_, str> {
    if name.contains('_') {
        Cow::Owned(name.replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether the headers' `connection` options name the header: it then ends here (RFC 9110, section 7.6.1).
pub fn is_nominated(headers: &HeaderMap, name: &HeaderName) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut options = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let name = with_dashes(name.as_str());
    options.any(|option| with_dashes(option.trim()).eq_ignore_ascii_case(&name))
}

/// The headers of one request's calls to subgraphs.
pub struct SubgraphHeaders {
    rules: Arc<HeaderRules>,
    client: HeaderMap,
    /// What the rules for every subgraph make of them.
    common: HeaderMap,
    request_id: HeaderValue,
    caller: Caller,
    signer: Arc<CallerSigner>,
}

impl SubgraphHeaders {
    /// Headers for the calls of a request with the headers `client`; the identity is signed for each subgraph.
    pub fn new(
        rules: Arc<HeaderRules>,
        client: HeaderMap,
        request_id: HeaderValue,
        caller: Caller,
        signer: Arc<CallerSigner>,
    ) -> Self {
        let mut common = HeaderMap::new();
        rules.apply_common(&client, &caller, &mut common);
        Self {
            rules,
            client,
            common,
            request_id,
            caller,
            signer,
        }
    }
}

impl RequestHeaders for SubgraphHeaders {
    fn headers(&self, subgraph: &str, path: &str) -> HeaderMap {
        let mut headers = self.common.clone();
        self.rules
            .apply_for(subgraph, &self.client, &self.caller, &mut headers);
        headers.insert(REQUEST_ID, self.request_id.clone());
        if let Some(signed) = self.signer.sign(&self.caller, subgraph, path) {
            headers.insert(CALLER_HEADER, signed);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HeadersConfig;
    use crate::identity::IdentitySecrets;

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

    type Entries = &'static [(&'static str, &'static str)];

    /// A configuration, what a client sends, and what of it passes.
    type Case = (&'static str, Entries, Entries);

    fn check(cases: &[Case]) {
        for (config, sent, expected) in cases {
            assert_eq!(sent_on(config, sent), headers(expected), "{config}");
        }
    }

    fn sent_on(config: &str, sent: Entries) -> HeaderMap {
        let config: HeadersConfig = serde_saphyr::from_str(config).unwrap();
        let id = HeaderValue::from_static("id");
        let rules = Arc::new(HeaderRules::new(&config));
        let signer = Arc::new(CallerSigner::new(&IdentitySecrets::default()).unwrap());
        let built = SubgraphHeaders::new(rules, headers(sent), id, Caller::anonymous(), signer);
        let mut passed = built.headers("a", "/graphql");
        assert_eq!(passed.remove(REQUEST_ID).unwrap(), "id");
        passed
    }

    #[test]
    fn rules_make_up_the_headers() {
        let cases: [Case; 8] = [
            ("{}", &[("x-a", "1")], &[]),
            (
                "propagate: [x-a, X-B]",
                &[("x-a", "1"), ("x-a", "2"), ("x-b", "3"), ("x-c", "4")],
                &[("x-a", "1"), ("x-a", "2"), ("x-b", "3")],
            ),
            (
                "propagate: ['x-*']",
                &[("x-a", "1"), ("y-a", "2"), ("x-request-id", "3")],
                &[("x-a", "1")],
            ),
            (
                "rules: [{ propagate: { name: x-a, rename: x-b, default: none } }]",
                &[("x-a", "1")],
                &[("x-b", "1")],
            ),
            (
                "rules: [{ propagate: { name: x-a, rename: x-b, default: none } }]",
                &[],
                &[("x-b", "none")],
            ),
            (
                "{ propagate: ['x-*'], rules: [{ remove: x-a }, { remove: 'x-c*' }] }",
                &[("x-a", "1"), ("x-b", "2"), ("x-cd", "3")],
                &[("x-b", "2")],
            ),
            (
                "{ propagate: [x-a], subgraphs: { a: [{ insert: { name: x-only, value: here } }], b: [{ remove: x-a }] } }",
                &[("x-a", "1")],
                &[("x-a", "1"), ("x-only", "here")],
            ),
            (
                "propagate: [authorization, cookie]",
                &[("authorization", "Bearer t")],
                &[("authorization", "Bearer t")],
            ),
        ];
        check(&cases);
    }

    #[test]
    fn some_headers_never_pass() {
        let cases: [Case; 3] = [
            // What a rule sets is not the client's to say, in either spelling, even where the rule has nothing to set.
            (
                "{ propagate: ['x*'], rules: [{ insert: { name: x-user, claim: sub } }] }",
                &[("x-user", "forged"), ("x_user", "forged"), ("x-a", "1")],
                &[("x-a", "1")],
            ),
            // Neither hop-by-hop headers, nor those a client nominates, nor forged identities pass, however spelt.
            (
                "propagate: ['*', te, host, fondaco-caller, fondaco_caller, x-hop]",
                &[
                    ("te", "trailers"),
                    ("transfer_encoding", "chunked"),
                    ("keep-alive", "1"),
                    ("proxy_connection", "1"),
                    ("host", "x"),
                    ("fondaco-caller", "forged"),
                    ("fondaco-caller", "twice"),
                    ("fondaco_caller", "forged"),
                    ("fondaco-anything", "forged"),
                    ("connection", "close, X-Hop"),
                    ("x-hop", "1"),
                    ("x_hop", "1"),
                ],
                &[],
            ),
            (
                "propagate: [x-a, x-b]",
                &[
                    ("connection", "x-a"),
                    ("connection", "keep-alive,X_B"),
                    ("x-a", "1"),
                    ("x-b", "1"),
                ],
                &[],
            ),
        ];
        check(&cases);
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
