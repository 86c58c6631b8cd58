//! fondaco.

fn main() {}
