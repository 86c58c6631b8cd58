//! Schema checks: what a change of a federated graph does to its clients, offline and with evidence.
//!
//! - [`check`]: the driver of a check; [`lint`]: conventions
//! - `source`: a graph from files, a folder, a supergraph or git
//! - `graph`, `place`, `definition`, `coordinate`: a side of the comparison, and where its elements stand
//! - `diff`: the differences, one file a kind of element; `rule`: their table; `change`: one of them
//! - `operations`: recorded and committed operations; `judge`, `usage`, `plans`: what a change does to them
//! - `finding`, `report`, `excerpt`: what is printed, and how
//! - [`introspection`]: its results as SDL
//! - [`contract`]: the graph filtered by tags; [`reference`]: a page about the schema
//! - `settings`: what a person may set

mod change;
mod check;
pub mod contract;
mod coordinate;
mod definition;
mod diff;
mod excerpt;
mod finding;
mod graph;
pub mod introspection;
mod judge;
pub mod lint;
pub mod operations;
mod place;
mod plans;
pub mod reference;
mod report;
mod rule;
pub mod settings;
pub mod source;
mod usage;

pub use change::{Affects, Change, Given};
pub use check::{Evidenced, check};
pub use coordinate::Coordinate;
pub use diff::differences;
pub use finding::{Finding, PlanPair, Report, Severity};
pub use graph::{Graph, GraphError};
pub use place::{Place, Places};
pub use plans::PlanSize;
pub use report::{Format, Style};
pub use rule::{Level, Rule};
pub use usage::Evidence;
