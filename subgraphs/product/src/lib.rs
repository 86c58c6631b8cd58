//! fondaco-product.
