//! Composes every `*.graphql` file of a folder, each one a subgraph named by its file, and prints what comes out:
//! `cargo run -p fondaco-composition --example compose_folder -- FOLDER`.

use std::path::Path;

use fondaco_composition::{SubgraphSource, compose};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    match compose(read_folder(Path::new(&folder))?) {
        Ok(composed) => print!("{}", composed.supergraph_sdl),
        Err(errors) => errors.iter().for_each(|error| println!("{error}")),
    }
    Ok(())
}

fn read_folder(folder: &Path) -> std::io::Result<Vec<SubgraphSource>> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let printed = matches!(name.as_str(), "supergraph" | "api");
        if path.extension().is_some_and(|extension| extension == "graphql") && !printed {
            let url = format!("http://{name}");
            sources.push(SubgraphSource {
                url,
                sdl: std::fs::read_to_string(&path)?,
                file: None,
                name,
            });
        }
    }
    Ok(sources)
}
