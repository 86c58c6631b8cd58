//! Whom a server runs as, and where its data may lie.
//!
//! Postgres refuses to run as root. Started by root it runs as `postgres` or `nobody`, which must be able to reach the
//! data: where a parent folder is closed to others, as `/root` is, the data lies under `/var/lib/fondaco` instead.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

use super::{ServersError, While};

/// An unprivileged account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The account to run as: `None` for the present one, unless that is root.
pub fn unprivileged() -> Result<Option<Account>, ServersError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten());
    let user = user.ok_or(ServersError::NoAccount)?;
    Ok(Some(Account {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
    }))
}

/// Where a server that runs as `account` keeps its data: `folder/name`, or a stand-in for it that the account can reach.
pub fn data_folder(folder: &Path, name: &str, account: Option<Account>) -> PathBuf {
    match account {
        Some(account) if !folder.ancestors().all(|ancestor| may_enter(ancestor, account)) => {
            let stand_in = folder.to_string_lossy().trim_matches('/').replace('/', "-");
            Path::new("/var/lib/fondaco").join(stand_in).join(name)
        }
        _ => folder.join(name),
    }
}

fn may_enter(folder: &Path, account: Account) -> bool {
    let Ok(metadata) = folder.metadata() else {
        return false;
    };
    let mode = metadata.mode();
    let bit = if metadata.uid() == account.uid {
        0o100
    } else if metadata.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

/// Creates a folder that belongs to `account` and is closed to all others.
pub fn create(folder: &Path, account: Option<Account>) -> Result<(), ServersError> {
    let what = || format!("creating {}", folder.display());
    std::fs::create_dir_all(folder).while_doing(what)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).while_doing(what)?;
    own(folder, account)
}

/// Gives a file or folder to `account`.
pub fn own(path: &Path, account: Option<Account>) -> Result<(), ServersError> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.uid), Some(account.gid))
        .while_doing(|| format!("giving away {}", path.display()))
}

/// Writes a file that only `account` may read.
pub fn write_secret(path: &Path, content: &str, account: Option<Account>) -> Result<(), ServersError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let what = || format!("writing {}", path.display());
    let mut options = std::fs::File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .while_doing(what)?;
    file.write_all(content.as_bytes()).while_doing(what)?;
    own(path, account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_in_for_closed_folders_only() {
        let account = Some(Account {
            uid: 4_000_000,
            gid: 4_000_000,
        });
        let check = |folder: &str, account, expected: &str| {
            assert_eq!(
                data_folder(Path::new(folder), "postgres", account),
                Path::new(expected)
            );
        };
        check("/usr", account, "/usr/postgres");
        check("/does-not-exist/x", None, "/does-not-exist/x/postgres");
        check(
            "/does-not-exist/x",
            account,
            "/var/lib/fondaco/does-not-exist-x/postgres",
        );
    }
}
