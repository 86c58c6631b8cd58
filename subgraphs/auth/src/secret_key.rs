//! Keys of keyed hashes: one for refresh tokens, one for one-time codes, both apart from the keys that sign access tokens. Made at the first
//! start and kept in Postgres, so that all instances hash alike.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use sqlx::PgPool;

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Hashes of refresh tokens, and the tokens that follow them.
    RefreshTokens,
    /// Hashes of codes sent by e-mail.
    OneTimeCodes,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::RefreshTokens => "refresh_tokens",
            Self::OneTimeCodes => "one_time_codes",
        }
    }
}

/// An HMAC-SHA-256 key. Cheap to clone.
#[derive(Clone)]
pub struct SecretKey {
    key: Arc<Key>,
}

impl SecretKey {
    /// Reads the key, making it where there is none. Instances that start at once agree on it.
    pub async fn load_or_create(pool: &PgPool, purpose: Purpose) -> Result<Self, sqlx::Error> {
        let fresh = rand::random::<[u8; 32]>();
        sqlx::query(
            "insert into secret_keys (purpose, key) values ($1, $2) on conflict (purpose) do nothing",
        )
        .bind(purpose.name())
        .bind(&fresh[..])
        .execute(pool)
        .await?;
        let key: Vec<u8> = sqlx::query_scalar("select key from secret_keys where purpose = $1")
            .bind(purpose.name())
            .fetch_one(pool)
            .await?;
        Ok(Self::new(&key))
    }

    fn new(bytes: &[u8]) -> Self {
        Self {
            key: Arc::new(Key::new(HMAC_SHA256, bytes)),
        }
    }

    /// The keyed hash of `parts`, each preceded by its length, so that no two lists of parts read alike.
    pub fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut message = Vec::with_capacity(128);
        for part in parts {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        sign(&self.key, &message).as_ref().to_vec()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_depend_on_key_and_on_where_parts_end() {
        let (one, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        assert_eq!(one.hash(&[b"ab", b"c"]), one.hash(&[b"ab", b"c"]));
        assert_ne!(one.hash(&[b"ab", b"c"]), one.hash(&[b"a", b"bc"]));
        assert_ne!(one.hash(&[b"ab", b"c"]), other.hash(&[b"ab", b"c"]));
    }
}
