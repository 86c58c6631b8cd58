//! Media types of requests and answers: `content-type` and `accept` (RFC 9110, sections 8.3 and 12.5.1).

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/graphql-response+json`: the HTTP status tells how the request fared.
    GraphqlResponse,
    /// `application/json`: status 200 for every well-formed request.
    Json,
    /// `text/html`: the playground.
    Html,
}

impl Format {
    /// The `content-type` of an answer in this format.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        })
    }

    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::GraphqlResponse => ("application", "graphql-response+json"),
            Self::Json => ("application", "json"),
            Self::Html => ("text", "html"),
        }
    }
}

/// The offer that the `accept` header likes best, or `None` where it admits none of them.
///
/// Between equals the earlier offer wins where the header names both, `application/json` where it only admits them by
/// a wildcard or is absent, as GraphQL over HTTP asks for until every client names what it wants.
pub fn negotiate(headers: &HeaderMap, offers: &[Format]) -> Option<Format> {
    let mut values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .peekable();
    values.peek()?;
    let ranges: Vec<Range<'_>> = values
        .flat_map(|value| value.split(','))
        .filter_map(Range::parse)
        .collect();
    let mut best: Option<(Preference, Format)> = None;
    for &offer in offers {
        let Some(preference) = Preference::of(offer, &ranges) else {
            continue;
        };
        if best.is_none_or(|(other, _)| preference > other) {
            best = Some((preference, offer));
        }
    }
    best.map(|(_, format)| format)
}

/// How much an offer is liked; compared field by field.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Preference {
    quality: f32,
    specificity: u8,
    legacy_default: bool,
}

impl Preference {
    /// The most specific range that admits the offer decides; quality 0 forbids it.
    fn of(offer: Format, ranges: &[Range<'_>]) -> Option<Self> {
        let range = ranges
            .iter()
            .filter(|range| range.admits(offer))
            .max_by_key(|range| range.specificity())?;
        let specificity = range.specificity();
        let legacy_default = specificity < Range::NAMED && offer == Format::Json;
        (range.quality > 0.0).then_some(Self {
            quality: range.quality,
            specificity,
            legacy_default,
        })
    }
}

/// One entry of `accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    const NAMED: u8 = 2;

    /// `None` for an entry that is not a media range, or asks for another encoding than UTF-8.
    fn parse(entry: &'a str) -> Option<Self> {
        let mut parts = entry.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut quality = 1.0;
        for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
            if name.trim().eq_ignore_ascii_case("q") {
                quality = value.trim().parse().ok()?;
            } else if !is_utf8_parameter(name, value) {
                return None;
            }
        }
        Some(Self {
            kind: kind.trim(),
            subtype: subtype.trim(),
            quality,
        })
    }

    fn admits(&self, offer: Format) -> bool {
        let (kind, subtype) = offer.types();
        (self.kind == "*" && self.subtype == "*")
            || (self.kind.eq_ignore_ascii_case(kind)
                && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype)))
    }

    fn specificity(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

/// True for any parameter but a `charset` other than UTF-8.
fn is_utf8_parameter(name: &str, value: &str) -> bool {
    let charset = value.trim().trim_matches('"');
    !name.trim().eq_ignore_ascii_case("charset")
        || charset.eq_ignore_ascii_case("utf-8")
        || charset.eq_ignore_ascii_case("utf8")
}

/// What the `content-type` of a POST says.
#[derive(Debug, PartialEq, Eq)]
pub enum ContentType<'a> {
    /// JSON in UTF-8.
    Json,
    /// A type, or its absence, that a browser sends across origins without asking first; lower-cased name for messages.
    Simple(&'a str),
    /// Anything else.
    Unsupported,
}

/// Reads the `content-type` header.
pub fn content_type(headers: &HeaderMap) -> ContentType<'_> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return ContentType::Simple("none");
    };
    let Ok(value) = value.to_str() else {
        return ContentType::Unsupported;
    };
    let mut parts = value.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let is_utf8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(k, v)| is_utf8_parameter(k, v));
    if name.eq_ignore_ascii_case("application/json") {
        return if is_utf8 {
            ContentType::Json
        } else {
            ContentType::Unsupported
        };
    }
    match SIMPLE.iter().find(|simple| name.eq_ignore_ascii_case(simple)) {
        Some(simple) => ContentType::Simple(simple),
        None => ContentType::Unsupported,
    }
}

/// The content types of a CORS-safelisted request (Fetch standard, section 2.2.2); absent means the same.
const SIMPLE: [&str; 4] = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_format() {
        use Format::{GraphqlResponse, Html, Json};
        let cases: &[(&str, Option<Format>)] = &[
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("Application/GraphQL-Response+JSON", Some(GraphqlResponse)),
            (
                "application/graphql-response+json, application/json;q=0.9",
                Some(GraphqlResponse),
            ),
            (
                "application/graphql-response+json;q=0.5, application/json",
                Some(Json),
            ),
            (
                "application/json, application/graphql-response+json",
                Some(GraphqlResponse),
            ),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html;q=0.1, */*", Some(Json)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(Html),
            ),
            ("application/json;charset=utf-8", Some(Json)),
            ("application/json; charset=\"UTF-8\"", Some(Json)),
            ("application/json;charset=iso-8859-1", None),
            ("application/json;q=0", None),
            ("application/json;q=0, */*;q=0.1", Some(GraphqlResponse)),
            ("image/png", None),
            ("nonsense", None),
            ("", None),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(
                negotiate(&headers, &[GraphqlResponse, Json, Html]),
                *expected,
                "{accept}"
            );
        }
    }

    #[test]
    fn content_types() {
        let cases = [
            ("application/json", ContentType::Json),
            ("application/JSON; charset=UTF-8", ContentType::Json),
            ("application/json;charset=latin1", ContentType::Unsupported),
            ("text/plain", ContentType::Simple("text/plain")),
            (
                "multipart/form-data; boundary=x",
                ContentType::Simple("multipart/form-data"),
            ),
            ("application/graphql", ContentType::Unsupported),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(content_type(&headers), expected, "{value}");
        }
        assert_eq!(content_type(&HeaderMap::new()), ContentType::Simple("none"));
    }
}
