//! fondaco-auth.
