//! fondaco-order.
