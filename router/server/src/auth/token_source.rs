//! Finds the access token in a request: in a header, or in a cookie.

use http::header::COOKIE;
use http::{HeaderMap, HeaderName};

use crate::config::{self, AuthenticationConfig};

/// Longest token looked at, in bytes; ours are about 500.
const LONGEST_TOKEN: usize = 8 * 1024;

/// A token as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentToken<'a> {
    /// Its text.
    pub text: &'a str,
    /// A browser sends cookies by itself, also for another site's page.
    pub from_cookie: bool,
}

/// A place in a request that may hold a token.
pub enum TokenSource {
    /// A header whose value is the scheme, a space and the token, or the token alone.
    Header {
        /// The header.
        name: HeaderName,
        /// The scheme; empty for none.
        scheme: String,
    },
    /// A cookie.
    Cookie(String),
}

impl TokenSource {
    /// The configured sources, the session cookie last.
    pub fn all(config: &AuthenticationConfig) -> Vec<Self> {
        let cookie = config
            .session_cookie
            .as_ref()
            .map(|cookie| Self::Cookie(cookie.name.clone()));
        config
            .sources
            .iter()
            .filter_map(Self::new)
            .chain(cookie)
            .collect()
    }

    fn new(config: &config::TokenSource) -> Option<Self> {
        Some(match config {
            config::TokenSource::Header(header) => Self::Header {
                name: header.name.parse().ok()?,
                scheme: header.scheme.clone(),
            },
            config::TokenSource::Cookie(name) => Self::Cookie(name.clone()),
        })
    }

    fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<SentToken<'a>>, &'static str> {
        let (text, from_cookie) = match self {
            Self::Header { name, scheme } => (in_header(headers, name, scheme)?, false),
            Self::Cookie(name) => (in_cookie(headers, name)?, true),
        };
        let Some(text) = text.map(str::trim) else {
            return Ok(None);
        };
        if text.is_empty() || text.len() > LONGEST_TOKEN {
            return Err("it is empty or too long");
        }
        Ok(Some(SentToken { text, from_cookie }))
    }
}

/// The token of a request: the first source that has one counts, and one sent twice in the same place is none.
pub fn find<'a>(
    sources: &[TokenSource],
    headers: &'a HeaderMap,
) -> Result<Option<SentToken<'a>>, &'static str> {
    for source in sources {
        if let Some(token) = source.find(headers)? {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

fn in_header<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    scheme: &str,
) -> Result<Option<&'a str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("it was sent more than once");
    }
    let value = value.to_str().map_err(|_| "it cannot be read")?;
    if scheme.is_empty() {
        return Ok(Some(value));
    }
    match value.split_once(' ') {
        Some((sent, token)) if sent.eq_ignore_ascii_case(scheme) => Ok(Some(token)),
        _ => Err("it is not a bearer token"),
    }
}

fn in_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, &'static str> {
    let mut found = None;
    for value in headers.get_all(COOKIE) {
        let value = value.to_str().map_err(|_| "its cookie cannot be read")?;
        for pair in value.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else {
                continue;
            };
            if key == name && found.replace(value.trim_matches('"')).is_some() {
                return Err("it was sent more than once");
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn tokens_are_found_where_they_were_configured() {
        let sources = [
            TokenSource::Header {
                name: http::header::AUTHORIZATION,
                scheme: "Bearer".to_owned(),
            },
            TokenSource::Header {
                name: HeaderName::from_static("x-token"),
                scheme: String::new(),
            },
            TokenSource::Cookie("__Host-session".to_owned()),
        ];
        type Sent = &'static [(&'static str, &'static str)];
        type Found = Result<Option<(&'static str, bool)>, &'static str>;
        let cases: [(Sent, Found); 12] = [
            (&[], Ok(None)),
            (&[("authorization", "Bearer a.b.c")], Ok(Some(("a.b.c", false)))),
            (&[("authorization", "bEaReR a.b.c")], Ok(Some(("a.b.c", false)))),
            (&[("authorization", "Basic abc")], Err("not a bearer")),
            (&[("authorization", "Bearer ")], Err("empty")),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
                Err("more than once"),
            ),
            (&[("x-token", "a.b.c")], Ok(Some(("a.b.c", false)))),
            (&[("cookie", "a=1; __Host-session=t; b=2")], Ok(Some(("t", true)))),
            (&[("cookie", "__Host-session=\"t\"")], Ok(Some(("t", true)))),
            (
                &[("cookie", "__Host-session=t"), ("cookie", "__Host-session=u")],
                Err("more than once"),
            ),
            (&[("cookie", "__host-session=t")], Ok(None)),
            (
                &[("cookie", "__Host-session=t"), ("authorization", "Bearer a")],
                Ok(Some(("a", false))),
            ),
        ];
        for (sent, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let found = find(&sources, &headers);
            match expected {
                Ok(expected) => {
                    let found = found.unwrap().map(|token| (token.text, token.from_cookie));
                    assert_eq!(found, expected, "{sent:?}");
                }
                Err(problem) => assert!(found.unwrap_err().contains(problem), "{sent:?}"),
            }
        }
    }
}
