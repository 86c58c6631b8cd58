//! The supergraph of a suite, as a file.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::{Audit, AuditError};
use crate::program;
use crate::scratch::Scratch;

#[derive(Deserialize)]
struct Subgraph {
    name: String,
    url: String,
    sdl: String,
}

/// The supergraph the audit's server serves.
pub(super) async fn served(audit: &Audit, suite: &str, folder: &Scratch) -> Result<PathBuf, AuditError> {
    let sdl = audit.text(&format!("{suite}/supergraph")).await?.text().await?;
    Ok(folder.write("supergraph.graphql", &sdl)?)
}

/// The supergraph `fondaco compose` makes of the suite's subgraphs.
pub(super) async fn composed(audit: &Audit, suite: &str, folder: &Scratch) -> Result<PathBuf, AuditError> {
    let subgraphs: Vec<Subgraph> = audit.get(&format!("{suite}/subgraphs")).await?;
    let mut entries = serde_json::Map::new();
    for subgraph in subgraphs {
        let file = format!("{}.graphql", subgraph.name);
        folder.write(&file, &subgraph.sdl)?;
        entries.insert(
            subgraph.name,
            json!({ "routing_url": subgraph.url, "schema": { "file": file } }),
        );
    }
    // Every JSON document is a YAML document.
    let config = folder.write("supergraph.yaml", &json!({ "subgraphs": entries }).to_string())?;
    let output = program::run(&["compose", "--config", &config.to_string_lossy()]).await?;
    if !output.status.success() {
        return Err(AuditError::Composition(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ));
    }
    let supergraph = folder.path().join("supergraph.graphql");
    std::fs::write(&supergraph, output.stdout)?;
    Ok(supergraph)
}
