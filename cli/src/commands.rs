//! The commands, one a file.

pub mod reset;
pub mod servers;
