//! fondaco-bench.

fn main() {}
