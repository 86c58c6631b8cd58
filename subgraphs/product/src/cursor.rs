//! Stable cursors: a place in an ordering, given by the sort key and the id of the product last seen, so that products added or removed
//! elsewhere neither repeat nor skip a row.

use async_graphql::connection::CursorType;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use fondaco_contracts::ProductId;

/// A place between two products of a sorted list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    /// The sort key of the product before the place.
    pub key: SortKey,
    /// Its id, which makes the order total.
    pub id: ProductId,
}

/// A product's position under one of the orderings.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SortKey {
    /// How well it matches the search, in millionths.
    Rank(i32),
    /// Its name.
    Name(String),
    /// Its lowest price in minor units.
    Price(i64),
    /// When it was added.
    Created(DateTime<Utc>),
}

/// The text is not a cursor of this service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the cursor is malformed")]
pub struct InvalidCursor;

impl CursorType for Cursor {
    type Error = InvalidCursor;

    fn decode_cursor(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        let (id, rest) = text.split_once(' ').ok_or(InvalidCursor)?;
        let (kind, value) = rest.split_once(' ').ok_or(InvalidCursor)?;
        Ok(Self {
            key: SortKey::parse(kind, value)?,
            id: id.parse().map_err(|_| InvalidCursor)?,
        })
    }

    fn encode_cursor(&self) -> String {
        let (kind, value) = match &self.key {
            SortKey::Rank(rank) => ("r", rank.to_string()),
            SortKey::Name(name) => ("n", name.clone()),
            SortKey::Price(price) => ("p", price.to_string()),
            SortKey::Created(time) => ("c", time.timestamp_micros().to_string()),
        };
        URL_SAFE_NO_PAD.encode(format!("{} {kind} {value}", self.id))
    }
}

impl SortKey {
    fn parse(kind: &str, value: &str) -> Result<Self, InvalidCursor> {
        match kind {
            "r" => value.parse().map(Self::Rank).map_err(|_| InvalidCursor),
            // Postgres stores no NUL: a cursor with one was not made here.
            "n" if !value.contains('\0') => Ok(Self::Name(value.to_owned())),
            "p" => value.parse().map(Self::Price).map_err(|_| InvalidCursor),
            "c" => {
                let micros = value.parse().map_err(|_| InvalidCursor)?;
                DateTime::from_timestamp_micros(micros)
                    .map(Self::Created)
                    .ok_or(InvalidCursor)
            }
            _ => Err(InvalidCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_the_trip() {
        let check = |key: SortKey| {
            let cursor = Cursor {
                key,
                id: ProductId::new(),
            };
            assert_eq!(Cursor::decode_cursor(&cursor.encode_cursor()), Ok(cursor));
        };
        check(SortKey::Rank(607_927));
        check(SortKey::Name("Café Coat, two  spaces".to_owned()));
        check(SortKey::Price(24_900));
        check(SortKey::Created(
            DateTime::from_timestamp_micros(1_763_000_000_123_456).unwrap(),
        ));
    }

    #[test]
    fn other_text_is_refused() {
        let check = |text: &str| assert_eq!(Cursor::decode_cursor(text), Err(InvalidCursor), "{text:?}");
        check("");
        check("!");
        check("MTIz");
        check(&URL_SAFE_NO_PAD.encode("0190163d-8694-739b-aea5-966c26f8ad91 x 1"));
        check(&URL_SAFE_NO_PAD.encode("0190163d-8694-739b-aea5-966c26f8ad91 p 1.5"));
        check(&URL_SAFE_NO_PAD.encode("0190163d-8694-739b-aea5-966c26f8ad91 n a\0b"));
    }
}
