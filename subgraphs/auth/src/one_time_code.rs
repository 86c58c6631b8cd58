//! Codes sent by e-mail: kept as keyed hashes, valid ten minutes, five tries, good once.
//!
//! Codes belong to an address, not to an account, and are kept for addresses without an account too: asking for one and entering one cost the
//! same, whoever has an account.

use std::time::Duration;

use chrono::Utc;
use rand::RngExt;
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use crate::{email::Email, secret_key::SecretKey};

/// How long a code is valid.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// Wrong codes that may be entered before a code is void.
pub const MAX_TRIES: i32 = 5;
/// Sign-ups of one address that wait for their code at a time.
const MAX_PENDING: i64 = 5;

/// What a code proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodePurpose {
    /// The address is the person's.
    VerifyEmail,
    /// The person may choose a new password.
    ResetPassword,
}

impl CodePurpose {
    const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// A reset opens an account: more digits to guess.
    const fn digits(self) -> usize {
        match self {
            Self::VerifyEmail => 6,
            Self::ResetPassword => 8,
        }
    }
}

/// A sign-up that begins once its address is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingSignUp {
    /// PHC string.
    pub password_hash: String,
    /// What to call the person.
    pub name: Option<String>,
}

/// A code was right.
#[derive(Debug)]
pub struct Redeemed {
    /// The sign-up it completes.
    pub sign_up: Option<PendingSignUp>,
}

#[derive(FromRow)]
struct Live {
    id: Uuid,
    code_hash: Vec<u8>,
    password_hash: Option<String>,
    name: Option<String>,
}

/// Codes in Postgres. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OneTimeCodes {
    pool: PgPool,
    key: SecretKey,
}

impl OneTimeCodes {
    /// Codes behind `pool`, hashed under `key`.
    pub fn new(pool: PgPool, key: SecretKey) -> Self {
        Self { pool, key }
    }

    /// A new code for an address, in place of earlier ones; sign-ups of it that wait keep theirs.
    pub async fn issue(&self, purpose: CodePurpose, email: &Email) -> Result<String, sqlx::Error> {
        sqlx::query("delete from one_time_codes where purpose = $1 and email = $2 and password_hash is null")
            .bind(purpose.name())
            .bind(email.as_str())
            .execute(&self.pool)
            .await?;
        self.insert(purpose, email, None).await
    }

    /// A new code that completes `sign_up`. Others that wait for the same address keep their own: whoever reads the mail decides which one
    /// begins, and nobody can slip a password of theirs under another's code.
    pub async fn issue_for_sign_up(
        &self,
        email: &Email,
        sign_up: PendingSignUp,
    ) -> Result<String, sqlx::Error> {
        sqlx::query(
            "delete from one_time_codes where id in (
                 select id from one_time_codes where purpose = $1 and email = $2 and password_hash is not null
                 order by id desc offset $3)",
        )
        .bind(CodePurpose::VerifyEmail.name())
        .bind(email.as_str())
        .bind(MAX_PENDING - 1)
        .execute(&self.pool)
        .await?;
        self.insert(CodePurpose::VerifyEmail, email, Some(sign_up)).await
    }

    /// A new code for the one sign-up that waits for this address; `None` where none does, or several.
    pub async fn reissue_for_sign_up(&self, email: &Email) -> Result<Option<String>, sqlx::Error> {
        let code = random_code(CodePurpose::VerifyEmail);
        let renewed: Option<Uuid> = sqlx::query_scalar(
            "update one_time_codes set code_hash = $3, tries = 0, expires_at = $4
             where purpose = $1 and email = $2 and password_hash is not null and used_at is null and expires_at > now()
               and 1 = (select count(*) from one_time_codes as other
                        where other.purpose = $1 and other.email = $2 and other.password_hash is not null
                          and other.used_at is null and other.expires_at > now())
             returning id",
        )
        .bind(CodePurpose::VerifyEmail.name())
        .bind(email.as_str())
        .bind(self.hash(CodePurpose::VerifyEmail, email, &code))
        .bind(Utc::now() + LIFETIME)
        .fetch_optional(&self.pool)
        .await?;
        Ok(renewed.map(|_| code))
    }

    /// Enters a code: counts the try, and uses up every code of that purpose and address where it is right.
    pub async fn redeem(
        &self,
        purpose: CodePurpose,
        email: &Email,
        code: &str,
    ) -> Result<Option<Redeemed>, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        // The update locks the rows: of two who enter codes at once, the second sees the first one's try.
        let live: Vec<Live> = sqlx::query_as(
            "update one_time_codes set tries = tries + 1
             where purpose = $1 and email = $2 and used_at is null and expires_at > now() and tries < $3
             returning id, code_hash, password_hash, name",
        )
        .bind(purpose.name())
        .bind(email.as_str())
        .bind(MAX_TRIES)
        .fetch_all(&mut *transaction)
        .await?;
        let entered = self.hash(purpose, email, &normalised(code));
        let right = live.into_iter().find(|live| is_same(&live.code_hash, &entered));
        if right.is_some() {
            sqlx::query("update one_time_codes set used_at = now() where purpose = $1 and email = $2")
                .bind(purpose.name())
                .bind(email.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(right.map(|live| {
            tracing::debug!(code.id = %live.id, "a code was redeemed");
            let name = live.name;
            let sign_up = live
                .password_hash
                .map(|password_hash| PendingSignUp { password_hash, name });
            Redeemed { sign_up }
        }))
    }

    async fn insert(
        &self,
        purpose: CodePurpose,
        email: &Email,
        sign_up: Option<PendingSignUp>,
    ) -> Result<String, sqlx::Error> {
        let code = random_code(purpose);
        let (password_hash, name) = sign_up
            .map(|sign_up| (Some(sign_up.password_hash), sign_up.name))
            .unwrap_or_default();
        sqlx::query(
            "insert into one_time_codes (id, purpose, email, code_hash, expires_at, password_hash, name)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::now_v7())
        .bind(purpose.name())
        .bind(email.as_str())
        .bind(self.hash(purpose, email, &code))
        .bind(Utc::now() + LIFETIME)
        .bind(password_hash)
        .bind(name)
        .execute(&self.pool)
        .await?;
        Ok(code)
    }

    fn hash(&self, purpose: CodePurpose, email: &Email, code: &str) -> Vec<u8> {
        self.key.hash(&[
            purpose.name().as_bytes(),
            email.as_str().as_bytes(),
            code.as_bytes(),
        ])
    }
}

fn random_code(purpose: CodePurpose) -> String {
    let digits = purpose.digits();
    let number = rand::rng().random_range(0..10_u64.pow(digits as u32));
    format!("{number:0digits$}")
}

/// People copy blanks and hyphens along.
fn normalised(code: &str) -> String {
    let kept = code.chars().filter(|character| character.is_ascii_digit());
    kept.take(16).collect()
}

/// Compares keyed hashes: without the key nobody can steer them, so the time this takes tells nothing. Constant in time all the same.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_digits() {
        for (purpose, digits) in [(CodePurpose::VerifyEmail, 6), (CodePurpose::ResetPassword, 8)] {
            for _ in 0..100 {
                let code = random_code(purpose);
                assert!(
                    code.len() == digits && code.bytes().all(|byte| byte.is_ascii_digit()),
                    "{code}"
                );
            }
        }
        assert_eq!(normalised(" 123-456 "), "123456");
    }
}
