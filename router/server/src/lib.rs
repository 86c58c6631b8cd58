//! fondaco-router.
