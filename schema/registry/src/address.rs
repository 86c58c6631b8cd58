//! Where a registry is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// A folder, or a Postgres database.
#[derive(Clone)]
pub enum Address {
    /// A folder of this machine, or one that several mount.
    Folder(PathBuf),
    /// A database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a registry is a folder or a postgres:// URL".to_owned());
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(text)
                .map_err(|error| format!("the URL of the registry cannot be used: {error}"))?;
            return Ok(Self::Postgres(Box::new(
                options.application_name("fondaco registry"),
            )));
        }
        match text.split_once("://") {
            // What follows may hold a password.
            Some((scheme, _)) => Err(format!(
                "a registry is a folder or a postgres:// URL, not a {scheme}:// one"
            )),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for Address {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or_default();
                write!(
                    f,
                    "postgres://{}:{}/{database}",
                    options.get_host(),
                    options.get_port()
                )
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_databases_are_told_apart() {
        for (text, expected) in [
            ("registry", Ok("registry")),
            ("/var/lib/registry", Ok("/var/lib/registry")),
            ("postgres://me:secret@db:5433/shop", Ok("postgres://db:5433/shop")),
            ("postgresql://me:secret@db/shop", Ok("postgres://db:5432/shop")),
            ("", Err("a registry is a folder")),
            ("redis://:secret@host", Err("not a redis:// one")),
            ("postgres://host:port/x", Err("cannot be used")),
        ] {
            match (text.parse::<Address>(), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address.to_string(), expected),
                (Err(problem), Err(part)) => {
                    assert!(problem.contains(part) && !problem.contains("secret"), "{problem}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
