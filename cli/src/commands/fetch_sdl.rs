//! Asks running servers for their SDL: as the subgraph specification provides, or by introspection where they know nothing
//! of federation.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Asks from a thread that may wait.
pub fn blocking_fetch() -> impl FnMut(&str) -> Result<String, String> + Send + 'static {
    let runtime = tokio::runtime::Handle::current();
    move |url: &str| runtime.block_on(fetch_sdl(url))
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
}

/// The SDL of the server at `url`, or why it cannot be had.
async fn fetch_sdl(url: &str) -> Result<String, String> {
    let service = ask(url, "{ _service { sdl } }").await?;
    let sdl = service
        .data
        .as_ref()
        .and_then(|data| data.pointer("/_service/sdl")?.as_str());
    if let Some(sdl) = sdl {
        return Ok(sdl.to_owned());
    }
    let schema = ask(url, fondaco_check::introspection::QUERY).await?;
    let Some(data) = &schema.data else {
        let problem = service.errors.first().or(schema.errors.first());
        let problem = problem.map_or("neither _service nor introspection is answered", |problem| {
            &problem.message
        });
        return Err(format!("{url} did not give its SDL: {problem}"));
    };
    fondaco_check::introspection::sdl(data)
        .map_err(|problem| format!("{url} did not give its SDL: {problem}"))
}

async fn ask(url: &str, query: &str) -> Result<Answer, String> {
    // Building fails, for one, where the machine has no certificate authorities.
    let client = reqwest::Client::builder()
        .build()
        .map_err(|error| format!("cannot prepare to ask {url}: {error}"))?;
    let request = client
        .post(url)
        .timeout(LONGEST_WAIT)
        .json(&json!({ "query": query }));
    let failed = |error: reqwest::Error| format!("{url} did not give its SDL: {error}");
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    // Servers may refuse what they do not know with a status of failure and a GraphQL answer.
    let answer = answer.json().await;
    answer.map_err(|error| {
        if status.is_success() {
            failed(error)
        } else {
            format!("{url} answered {status}")
        }
    })
}
