//! Is a federated graph the same as one server? Random graphs, split at random, asked random questions.
//!
//! - `world`, `layout`, `validity`, `sdl`: a graph as decisions, what follows from them, which are valid, and their text
//! - `random_world`, `random_split`, `random_data`, `random_operation`, `operation`: how they are made
//! - `server`, `data`, `transport`: plain servers over in-memory data that watch how they are called
//! - `graph`: the router under test; `oracle`, `oracle_answer`, `compare`: what it must answer
//! - `case`, `shrink`: a failure as a small folder, kept and replayed

pub mod case;
pub mod compare;
mod constant;
pub mod data;
pub mod graph;
pub mod layout;
pub mod operation;
pub mod oracle;
pub mod oracle_answer;
pub mod random_data;
pub mod random_operation;
pub mod random_split;
pub mod random_world;
mod representation;
pub mod run;
pub mod sdl;
pub mod server;
pub mod shrink;
pub mod transport;
pub mod validity;
pub mod world;
