//! Cross-origin resource sharing, by the configuration.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::CorsConfig;
use crate::headers::REQUEST_ID;

/// The layer that answers preflight requests, or `None` where no other site's page may call the router.
pub fn layer(config: &CorsConfig, csrf_headers: &[String]) -> Option<CorsLayer> {
    if config.origins.is_empty() {
        return None;
    }
    let names = config
        .headers
        .iter()
        .chain(csrf_headers)
        .filter_map(|name| name.parse::<HeaderName>().ok());
    let allowed = [CONTENT_TYPE, AUTHORIZATION, REQUEST_ID].into_iter().chain(names);
    let layer = CorsLayer::new()
        .allow_origin(origins(config))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(allowed.collect::<Vec<_>>())
        .allow_credentials(config.credentials)
        .expose_headers([REQUEST_ID]);
    Some(match config.max_age_seconds {
        Some(seconds) => layer.max_age(Duration::from_secs(seconds)),
        None => layer,
    })
}

fn origins(config: &CorsConfig) -> AllowOrigin {
    if config.origins.iter().any(|origin| origin == "*") {
        return AllowOrigin::any();
    }
    AllowOrigin::list(
        config
            .origins
            .iter()
            .filter_map(|origin| origin.parse::<HeaderValue>().ok()),
    )
}
