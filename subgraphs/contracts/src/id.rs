//! UUIDv7 ids, one type an entity, so that two ids can never be swapped. Each is the GraphQL scalar `ID`.
//!
//! For SQL: bind `id.as_uuid()`, read with `UserId::from(uuid)`.

use std::{borrow::Cow, fmt, str::FromStr};

use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: UUIDv7, so that ids made later sort later.
            #[expect(clippy::new_without_default, reason = "a new id is random, a default would mislead")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The bare UUID, as databases store it.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl InputType for $name {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                <ID as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as InputType>::create_type_info(registry)
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let id = <ID as InputType>::parse(value).map_err(InputValueError::propagate)?;
                id.parse().map_err(|_| InputValueError::custom("the id is not a UUID"))
            }

            fn to_value(&self) -> Value {
                Value::String(self.to_string())
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                <ID as OutputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as OutputType>::create_type_info(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::String(self.to_string()))
            }
        }
    };
}

typed_id!(
    /// An account.
    UserId
);
typed_id!(
    /// A signed-in device: the family of one chain of refresh tokens.
    SessionId
);
typed_id!(
    /// A product; its variants are keyed by [`Sku`](crate::Sku).
    ProductId
);
typed_id!(
    /// An order, and the key of its reservation and its charge.
    OrderId
);
typed_id!(
    /// A payment.
    PaymentId
);
typed_id!(
    /// A refund, and its idempotency key at the payment provider.
    RefundId
);
typed_id!(
    /// A hold on stock; for a purchase it equals the order's id.
    ReservationId
);
typed_id!(
    /// An event: the key by which consumers recognise a repeated delivery.
    EventId
);

impl From<OrderId> for ReservationId {
    fn from(order: OrderId) -> Self {
        Self(order.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let made: Vec<_> = (0..100).map(|_| OrderId::new()).collect();
        assert!(made.is_sorted());
    }

    #[test]
    fn only_uuids_are_ids() {
        let check = |text: &str, valid: bool| {
            assert_eq!(
                <UserId as InputType>::parse(Some(Value::from(text))).is_ok(),
                valid,
                "{text:?}"
            );
        };
        check("0190163d-8694-739b-aea5-966c26f8ad91", true);
        check("0190163d8694739baea5966c26f8ad91", true);
        check("", false);
        check("1", false);
        check("0190163d-8694-739b-aea5-966c26f8ad9", false);
    }
}
