//! Reading the folders of cases.

use std::path::{Path, PathBuf};

use fondaco_check::Graph;
use fondaco_composition::SubgraphSource;

/// The graph of one side: `before` or `after`.
pub fn graph(case: &Path, side: &str) -> Graph {
    let files = entries(&case.join(side)).into_iter();
    let schemas = files.filter(|path| path.extension().is_some_and(|kind| kind == "graphql"));
    let sources = schemas.map(|path| {
        let name = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        SubgraphSource {
            // `NAME.url` holds an address that differs from `http://NAME`.
            url: std::fs::read_to_string(path.with_extension("url")).unwrap_or(format!("http://{name}")),
            file: Some(format!("{side}/{name}.graphql")),
            sdl: std::fs::read_to_string(&path).expect("a case can be read"),
            name,
        }
    });
    Graph::compose(sources.collect()).unwrap_or_else(|error| panic!("{} {side}: {error:?}", case.display()))
}

/// What a folder holds, sorted.
pub fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}
