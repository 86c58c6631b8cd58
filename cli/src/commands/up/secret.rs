//! The secret that router and subgraphs share, for a platform that nobody configured one for.

use std::path::Path;

use crate::error::CliError;
use crate::servers::account;

/// The configured secret, or one made at the first start and kept with the data.
pub fn shared(configured: Option<&str>, data: &Path) -> Result<String, CliError> {
    if let Some(secret) = configured {
        return Ok(secret.to_owned());
    }
    let file = data.join("identity-secret");
    if let Ok(secret) = std::fs::read_to_string(&file) {
        return Ok(secret);
    }
    std::fs::create_dir_all(data).map_err(|source| CliError::Write {
        path: data.to_owned(),
        source,
    })?;
    let secret = crate::servers::random_password()?;
    account::write_secret(&file, &secret, None)?;
    Ok(secret)
}
