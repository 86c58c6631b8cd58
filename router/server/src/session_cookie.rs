//! Browser apps without tokens in scripts: a page trades its access token for a cookie that no script can read, and back for none.
//!
//! `POST` with the token in its usual header sets the cookie, until the token expires; `DELETE` clears it. Both need a preflight
//! request of a browser, so that no other site's page can sign anybody in or out.

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use axum::response::{IntoResponse, Response};

use crate::auth::jwt::{Authenticator, unix_now};
use crate::config::{SameSite, SessionCookieConfig};
use crate::error::RequestError;

/// Verifies the token and keeps it in the cookie.
pub async fn set(
    config: &SessionCookieConfig,
    authenticator: &Authenticator,
    headers: &HeaderMap,
) -> Result<Response, RequestError> {
    let caller = authenticator.authenticate(headers).await?;
    let sent = authenticator.sent_in_header(headers)?;
    let (Some(verified), Some(sent)) = (caller.token(), sent) else {
        return Err(RequestError::Unauthenticated("it was not sent in a header"));
    };
    let lifetime = verified.claims.exp.saturating_sub(unix_now());
    answer(&cookie(config, sent, lifetime))
}

/// Ends the cookie. The session goes on until its subgraph ends it.
pub fn clear(config: &SessionCookieConfig) -> Result<Response, RequestError> {
    answer(&cookie(config, "", 0))
}

fn answer(cookie: &str) -> Result<Response, RequestError> {
    // A verified token is base64url and dots, so nothing in it can end the value.
    let cookie = HeaderValue::from_str(cookie).map_err(|_| RequestError::Internal)?;
    let no_store = HeaderValue::from_static("no-store");
    Ok((
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, cookie), (CACHE_CONTROL, no_store)],
    )
        .into_response())
}

fn cookie(config: &SessionCookieConfig, value: &str, max_age: u64) -> String {
    let same_site = match config.same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    let secure = if config.secure { "; Secure" } else { "" };
    let name = &config.name;
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}")
}
