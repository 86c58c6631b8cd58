//! fondaco-chassis.
