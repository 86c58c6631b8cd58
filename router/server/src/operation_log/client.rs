//! Client applications, as they name themselves in headers.

use http::{HeaderMap, HeaderName};

/// Longest name or version kept, in characters.
const LONGEST: usize = 64;

/// A client application; empty where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The headers in which clients name themselves; the first one present counts.
pub(super) struct ClientHeaders {
    names: Vec<HeaderName>,
    versions: Vec<HeaderName>,
}

impl ClientHeaders {
    pub(super) fn new(names: &[String], versions: &[String]) -> Self {
        let parse = |names: &[String]| names.iter().filter_map(|name| name.parse().ok()).collect();
        Self {
            names: parse(names),
            versions: parse(versions),
        }
    }

    pub(super) fn read(&self, headers: &HeaderMap) -> Client {
        Client {
            name: first(&self.names, headers),
            version: first(&self.versions, headers),
        }
    }
}

fn first(names: &[HeaderName], headers: &HeaderMap) -> String {
    let value = names.iter().find_map(|name| headers.get(name)?.to_str().ok());
    value.unwrap_or_default().trim().chars().take(LONGEST).collect()
}
