//! A folder: with a configuration of the same name, or with one `.graphql` file a subgraph.

use std::path::{Path, PathBuf};

use fondaco_composition::SubgraphSource;
use fondaco_composition::config::SupergraphConfig;

use crate::source::{Fetch, SourceError, read};

/// The subgraphs of the folder. Those without a configuration are called like their files.
pub(super) fn sources(
    folder: &Path,
    config: &Path,
    fetch: Fetch<'_>,
) -> Result<Vec<SubgraphSource>, SourceError> {
    let same_name = config.file_name().map(|name| folder.join(name));
    if let Some(config) = same_name.filter(|config| config.is_file()) {
        return Ok(SupergraphConfig::load(&config, fetch)?);
    }
    let files = schema_files(folder)?;
    if files.is_empty() {
        let message = "holds neither a configuration of that name nor .graphql files".to_owned();
        return Err(SourceError::Path {
            path: folder.to_owned(),
            message,
        });
    }
    let urls = routing_urls(config);
    files.iter().map(|file| source(file, &urls)).collect()
}

fn schema_files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let failed = |error: std::io::Error| SourceError::Path {
        path: folder.to_owned(),
        message: format!("cannot be read: {error}"),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|kind| kind == "graphql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Addresses of the configuration compared, so that only schemas differ.
fn routing_urls(config: &Path) -> Option<SupergraphConfig> {
    let text = std::fs::read_to_string(config).ok()?;
    SupergraphConfig::parse(&text, config).ok()
}

fn source(file: &Path, urls: &Option<SupergraphConfig>) -> Result<SubgraphSource, SourceError> {
    let name = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let known = urls.as_ref().and_then(|config| config.subgraphs.get(&name));
    let url = known.and_then(|known| {
        known
            .routing_url
            .clone()
            .or_else(|| known.schema.subgraph_url.clone())
    });
    Ok(SubgraphSource {
        sdl: read(file)?,
        file: Some(file.display().to_string()),
        url: url.unwrap_or_default(),
        name,
    })
}
