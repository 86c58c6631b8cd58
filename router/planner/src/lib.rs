//! Operation in, query plan out: pure, no I/O.

pub mod query_plan;
