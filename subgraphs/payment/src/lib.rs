//! fondaco-payment.
