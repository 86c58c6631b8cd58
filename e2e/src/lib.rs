//! fondaco-e2e.
