//! `./dev bench`: starts the platform, every part its own process, loads it over loopback and prints what it did.
//!
//! - [`load`]: the load generator
//! - [`cpu`]: CPU time of each process
//! - [`report`]: the table

mod cpu;
mod load;
mod report;

fn main() {}
