//! fondaco-composition.
