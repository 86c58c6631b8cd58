//! The composition configuration in rover's `supergraph.yaml` format.
//!
//! ```yaml
//! federation_version: =2.9.0
//! subgraphs:
//!   product:
//!     routing_url: http://localhost:4002/graphql
//!     schema:
//!       file: ./product.graphql
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::SubgraphSource;

/// A whole configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupergraphConfig {
    /// The federation version asked for: `2`, `=2.9.0`; this composer has one that covers them all.
    #[serde(default, deserialize_with = "text_or_number")]
    pub federation_version: Option<String>,
    /// The subgraphs by name.
    pub subgraphs: BTreeMap<String, SubgraphConfig>,
}

/// One subgraph.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubgraphConfig {
    /// Where the router will reach it; may be left out where the schema is fetched from the subgraph itself.
    #[serde(default)]
    pub routing_url: Option<String>,
    /// Where its schema comes from.
    pub schema: SchemaSource,
}

/// Where a subgraph's schema comes from: exactly one of both.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSource {
    /// A file, relative to the configuration's folder.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The address of a running subgraph, asked for its SDL.
    #[serde(default)]
    pub subgraph_url: Option<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The YAML is malformed, or has unknown or missing keys.
    #[error("{path}: {message}")]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong where.
        message: String,
    },
    /// A subgraph names no schema, or two.
    #[error("subgraph \"{0}\" needs either schema.file or schema.subgraph_url")]
    Schema(String),
    /// A subgraph with a schema from a file has no address.
    #[error("subgraph \"{0}\" needs a routing_url")]
    RoutingUrl(String),
    /// The SDL of a running subgraph could not be had.
    #[error("subgraph \"{name}\": {message}")]
    Fetch {
        /// The subgraph.
        name: String,
        /// Why.
        message: String,
    },
    /// Only Federation 2 is composed (Federation 1 subgraphs included).
    #[error("federation_version {0} is not a version of federation 2 (or 1, for Federation 1 subgraphs)")]
    Version(String),
}

impl SupergraphConfig {
    /// Parses a configuration; `path` only names it in errors.
    ///
    /// # Errors
    /// On malformed YAML, unknown keys (by name) and subgraphs that are incompletely described.
    pub fn parse(yaml: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = serde_saphyr::from_str(yaml).map_err(|error| ConfigError::Yaml {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        config.check()?;
        Ok(config)
    }

    /// Reads the file and all schemas it names; `fetch` asks a running subgraph (its address) for its SDL.
    ///
    /// # Errors
    /// As [`Self::parse`], and where a schema cannot be read or fetched.
    pub fn load(
        path: &Path,
        mut fetch: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<Vec<SubgraphSource>, ConfigError> {
        let config = Self::parse(&read(path)?, path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config
            .subgraphs
            .into_iter()
            .map(|(name, subgraph)| subgraph.load(name, folder, &mut fetch))
            .collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if let Some(version) = &self.federation_version {
            let major = version
                .trim_start_matches(['=', 'v'])
                .split('.')
                .next()
                .unwrap_or_default();
            if !matches!(major, "1" | "2") {
                return Err(ConfigError::Version(version.clone()));
            }
        }
        for (name, subgraph) in &self.subgraphs {
            if subgraph.schema.file.is_some() == subgraph.schema.subgraph_url.is_some() {
                return Err(ConfigError::Schema(name.clone()));
            }
            if subgraph.routing_url.is_none() && subgraph.schema.subgraph_url.is_none() {
                return Err(ConfigError::RoutingUrl(name.clone()));
            }
        }
        Ok(())
    }
}

impl SubgraphConfig {
    fn load(
        self,
        name: String,
        folder: &Path,
        fetch: &mut impl FnMut(&str) -> Result<String, String>,
    ) -> Result<SubgraphSource, ConfigError> {
        let SchemaSource { file, subgraph_url } = self.schema;
        let (sdl, file) = match (file, &subgraph_url) {
            (Some(file), _) => {
                let path = folder.join(file);
                (read(&path)?, Some(path.display().to_string()))
            }
            (None, Some(url)) => {
                let fetched = fetch(url);
                (
                    fetched.map_err(|message| ConfigError::Fetch {
                        name: name.clone(),
                        message,
                    })?,
                    None,
                )
            }
            (None, None) => return Err(ConfigError::Schema(name)),
        };
        let Some(url) = self.routing_url.or(subgraph_url) else {
            return Err(ConfigError::RoutingUrl(name));
        };
        Ok(SubgraphSource { name, url, sdl, file })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })
}

/// `federation_version: 2` is a number in YAML, `=2.9.0` a text.
fn text_or_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Version {
        Integer(u64),
        Decimal(f64),
        Text(String),
    }
    Ok(Some(match Version::deserialize(deserializer)? {
        Version::Integer(number) => number.to_string(),
        Version::Decimal(number) => number.to_string(),
        Version::Text(text) => text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str, expected: Result<usize, &str>) {
        let parsed = SupergraphConfig::parse(yaml, Path::new("supergraph.yaml"));
        match (parsed, expected) {
            (Ok(config), Ok(count)) => assert_eq!(config.subgraphs.len(), count),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (parsed, expected) => panic!("{parsed:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn reads_rovers_format() {
        let two = "federation_version: =2.9.0\nsubgraphs:\n  a:\n    routing_url: http://a\n    schema:\n      file: a.graphql\n  b:\n    schema:\n      subgraph_url: http://b\n";
        check(two, Ok(2));
        check("federation_version: 2\nsubgraphs: {}\n", Ok(0));
    }

    #[test]
    fn refuses_unknown_keys_by_name() {
        check("subgraphs: {}\nrouting: 1\n", Err("routing"));
        check(
            "subgraphs:\n  a:\n    url: http://a\n    schema: {file: x}\n",
            Err("url"),
        );
    }

    #[test]
    fn refuses_incomplete_subgraphs() {
        check(
            "subgraphs:\n  a:\n    routing_url: http://a\n    schema: {}\n",
            Err("schema.file"),
        );
        check("subgraphs:\n  a:\n    schema: {file: x}\n", Err("routing_url"));
        check(
            "federation_version: 3\nsubgraphs: {}\n",
            Err("federation_version 3"),
        );
    }
}
