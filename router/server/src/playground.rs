//! The GraphiQL page, embedded from the build of `router/playground`.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use rust_embed::RustEmbed;

use crate::config::PlaygroundConfig;

/// The built page; empty where it was not built.
#[derive(RustEmbed)]
#[folder = "../playground/dist"]
#[allow_missing = true]
struct Dist;

/// What the page holds where the router's settings go.
const SETTINGS_SLOT: &str = r#"<script type="application/json" id="settings">{}</script>"#;

/// Everything comes from the router itself; the editor makes its styles and workers as it runs.
const CONTENT_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Playground not built</title>\
    <body style=\"font-family: sans-serif; margin: 4rem auto; max-width: 40rem; line-height: 1.5\">\
    <h1>The playground was not built</h1>\
    <p>This router was compiled without its GraphiQL page. Build it and compile again:</p>\
    <pre>cd router/playground &amp;&amp; npm ci &amp;&amp; npm run build</pre>\
    <p>The GraphQL endpoint works: send a POST with <code>content-type: application/json</code> to this address.</p>";

/// The page itself.
pub fn page(config: &PlaygroundConfig) -> Response {
    let Some(file) = Dist::get("index.html") else {
        return respond(
            StatusCode::OK,
            "text/html; charset=utf-8",
            "no-store",
            NOT_BUILT.as_bytes().to_vec(),
        );
    };
    let page = String::from_utf8_lossy(&file.data);
    let settings = format!(
        r#"<script type="application/json" id="settings">{}</script>"#,
        settings(config)
    );
    let page = page.replacen(SETTINGS_SLOT, &settings, 1).into_bytes();
    respond(StatusCode::OK, "text/html; charset=utf-8", "no-store", page)
}

/// JSON that cannot end the script element it stands in.
fn settings(config: &PlaygroundConfig) -> String {
    let mut settings = serde_json::Map::new();
    if let Some(query) = &config.default_query {
        settings.insert("defaultQuery".to_owned(), query.as_str().into());
    }
    serde_json::Value::Object(settings)
        .to_string()
        .replace('<', "\\u003c")
}

/// A script, style, font or worker of the page. Their names change with their content.
pub fn asset(path: &str) -> Response {
    match Dist::get(path) {
        Some(file) => {
            let kind = content_type(path);
            respond(
                StatusCode::OK,
                kind,
                "public, max-age=31536000, immutable",
                file.data.into_owned(),
            )
        }
        None => respond(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "no-store",
            b"not found".to_vec(),
        ),
    }
}

fn respond(status: StatusCode, kind: &'static str, caching: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("json" | "map") => "application/json; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
