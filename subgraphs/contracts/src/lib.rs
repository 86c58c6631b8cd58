//! fondaco-contracts.
