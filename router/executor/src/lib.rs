//! Query plan in, response out: the only place that calls subgraphs.

pub mod transport;
