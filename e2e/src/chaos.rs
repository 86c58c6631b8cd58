//! Faults: nothing is oversold, nobody pays twice, nothing that was acknowledged is lost, the books balance, and the shop recovers.
//!
//! - [`scenario`]: the faults, one a file
//! - [`plan`]: how much of it; everything random follows from a seed
//! - [`lab`]: a platform beside servers of its own
//! - [`killer`]: kills and starts processes again, empties Redis now and then
//! - [`buyer`]: presses the button until there is an answer; [`load`]: many who go on buying
//! - [`verdict`]: what must be true afterwards
//! - [`finding`]: a row of the report

pub mod buyer;
pub mod finding;
pub mod killer;
pub mod lab;
pub mod load;
pub mod plan;
pub mod scenario;
pub mod verdict;

pub use scenario::Scenario;
