//! The client for what the router fetches apart from subgraphs: signing keys, decisions about policies.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, redirect};

/// A client whose exchanges take no longer than `limit`.
///
/// Answers are not looked for elsewhere: no redirects, no proxy. A small image may hold no certificate authorities, which only
/// HTTPS addresses need.
pub fn client(limit: Duration) -> Client {
    let builder = || -> ClientBuilder {
        Client::builder()
            .timeout(limit)
            .redirect(redirect::Policy::none())
            .no_proxy()
    };
    builder().build().unwrap_or_else(|error| {
        tracing::warn!(error = %error, "no certificate authorities: only http addresses can be reached");
        let without_authorities = builder().tls_certs_only([]).build();
        without_authorities.expect("a client without certificates needs nothing of the system")
    })
}

/// The body of a successful answer, cut off somewhere beyond `limit` bytes.
pub async fn body(response: Response, limit: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut response = response.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            break;
        }
    }
    Ok(body)
}
