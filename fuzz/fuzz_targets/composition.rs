//! Any text as subgraph schemas: composing ends with a supergraph that can be read, or with diagnostics.
#![no_main]

use fondaco_composition::{SubgraphSource, compose};
use fondaco_supergraph::Supergraph;
use libfuzzer_sys::fuzz_target;

/// What stands between the schemas of one input.
const SEPARATOR: &str = "\n---\n";

fuzz_target!(|text: &str| {
    let sources = text.split(SEPARATOR).take(4).enumerate().map(|(index, sdl)| SubgraphSource {
        name: format!("s{index}"),
        url: String::new(),
        sdl: sdl.to_owned(),
        file: None,
    });
    if let Ok(composed) = compose(sources.collect()) {
        let read = Supergraph::parse(&composed.supergraph_sdl, "supergraph.graphql");
        assert!(read.is_ok(), "{}\n{}", read.err().map(|error| error.to_string()).unwrap_or_default(), composed.supergraph_sdl);
    }
});
