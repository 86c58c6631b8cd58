//! How data loaders wait for keys.

/// How often a loader lets others run before it loads (`Loader::with_yield_count`). Every round polls every waiting resolver once more, so
/// fewer are cheaper than the library's ten; but resolvers whose parents were loaded together resume one after another, and their keys
/// make one batch only if the first of them waits for the last.
pub const YIELDS: usize = 3;
