//! fondaco-inventory.
