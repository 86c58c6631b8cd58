//! fondaco-messaging.
