//! A registry that is a folder:
//!
//! ```text
//! versions/00000012/version.json          the version, the addresses of its subgraphs, and digests of all files
//!                   supergraph.graphql
//!                   subgraphs/NAME.graphql
//! ```
//!
//! A version is written aside and renamed into place. Renaming fails where the number is taken, so that of two publishers one succeeds,
//! and nobody ever sees half a version; what a killed publisher leaves behind is swept away by a later one.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fondaco_composition::SubgraphSource;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::address::Address;
use crate::error::RegistryError;
use crate::store::Access;
use crate::version::{Stored, Version};

/// Folders in which versions are prepared begin so.
const DRAFT: &str = ".draft-";

/// After this long nobody is still preparing a version.
const ABANDONED: Duration = Duration::from_secs(3600);

const RECORD: &str = "version.json";
const SUPERGRAPH: &str = "supergraph.graphql";

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// `version.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    version: Version,
    supergraph_sha256: String,
    subgraphs: Vec<SubgraphRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SubgraphRecord {
    name: String,
    url: String,
    file: String,
    sha256: String,
}

impl Folder {
    pub(crate) fn open(root: PathBuf, access: Access) -> Result<Self, RegistryError> {
        let folder = Self { root };
        let versions = folder.versions();
        match access {
            Access::Publish => fs::create_dir_all(&versions).map_err(|error| written(&versions, error))?,
            Access::Read if !versions.is_dir() => {
                return Err(RegistryError::Missing(Address::Folder(folder.root)));
            }
            Access::Read => {}
        }
        Ok(folder)
    }

    fn versions(&self) -> PathBuf {
        self.root.join("versions")
    }

    fn folder_of(&self, number: u64) -> PathBuf {
        self.versions().join(format!("{number:08}"))
    }

    pub(crate) fn latest(&self) -> Result<Option<u64>, RegistryError> {
        Ok(self.numbers()?.into_iter().max())
    }

    fn numbers(&self) -> Result<Vec<u64>, RegistryError> {
        let versions = self.versions();
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&versions).map_err(|error| unread(&versions, error))? {
            let name = entry.map_err(|error| unread(&versions, error))?.file_name();
            // Whatever else lies there is none of ours.
            let number = name.to_str().and_then(|name| name.parse::<u64>().ok());
            numbers.extend(number.filter(|number| self.folder_of(*number).ends_with(&name)));
        }
        Ok(numbers)
    }

    pub(crate) fn read(&self, number: u64) -> Result<Option<Stored>, RegistryError> {
        let Some(record) = self.record(number)? else {
            return Ok(None);
        };
        let folder = self.folder_of(number);
        let supergraph = verified(&folder.join(SUPERGRAPH), &record.supergraph_sha256)?;
        let subgraphs = record.subgraphs.into_iter().map(|subgraph| {
            Ok(SubgraphSource {
                sdl: verified(&folder.join(&subgraph.file), &subgraph.sha256)?,
                name: subgraph.name,
                url: subgraph.url,
                file: None,
            })
        });
        Ok(Some(Stored {
            subgraphs: subgraphs.collect::<Result<_, RegistryError>>()?,
            version: record.version,
            supergraph,
        }))
    }

    pub(crate) fn supergraph(&self, number: u64) -> Result<Option<String>, RegistryError> {
        let Some(record) = self.record(number)? else {
            return Ok(None);
        };
        let path = self.folder_of(number).join(SUPERGRAPH);
        verified(&path, &record.supergraph_sha256).map(Some)
    }

    pub(crate) fn history(&self) -> Result<Vec<Version>, RegistryError> {
        let mut numbers = self.numbers()?;
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let mut versions = Vec::new();
        for number in numbers {
            versions.extend(self.record(number)?.map(|record| record.version));
        }
        Ok(versions)
    }

    fn record(&self, number: u64) -> Result<Option<Record>, RegistryError> {
        let folder = self.folder_of(number);
        if !folder.is_dir() {
            return Ok(None);
        }
        let path = folder.join(RECORD);
        let text = fs::read_to_string(&path).map_err(|error| unread(&path, error))?;
        let record: Record =
            serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string()))?;
        if record.version.number != number {
            let problem = format!("it describes version {}", record.version.number);
            return Err(damaged(&path, problem));
        }
        Ok(Some(record))
    }

    pub(crate) fn append(&self, stored: &Stored) -> Result<bool, RegistryError> {
        self.sweep();
        let draft = self.root.join(format!("{DRAFT}{}", Uuid::new_v4()));
        let appended =
            write_version(&draft, stored).and_then(|()| self.take_number(&draft, stored.version.number));
        if !matches!(appended, Ok(true)) {
            // Should this fail, a later publisher sweeps.
            let _ = fs::remove_dir_all(&draft);
        }
        appended
    }

    fn take_number(&self, draft: &Path, number: u64) -> Result<bool, RegistryError> {
        let place = self.folder_of(number);
        match fs::rename(draft, &place) {
            Ok(()) => {
                sync(&self.versions())?;
                Ok(true)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(written(&place, error)),
        }
    }

    /// Removes what killed publishers left. A failure here concerns nobody.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let is_draft = entry.file_name().to_string_lossy().starts_with(DRAFT);
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|time| time.elapsed().ok());
            if is_draft && age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

fn write_version(draft: &Path, stored: &Stored) -> Result<(), RegistryError> {
    let schemas = draft.join("subgraphs");
    fs::create_dir_all(&schemas).map_err(|error| written(&schemas, error))?;
    let mut subgraphs = Vec::new();
    for source in &stored.subgraphs {
        let file = format!("subgraphs/{}.graphql", file_name(&source.name));
        write_durably(&draft.join(&file), &source.sdl)?;
        subgraphs.push(SubgraphRecord {
            name: source.name.clone(),
            url: source.url.clone(),
            file,
            sha256: digest(&source.sdl),
        });
    }
    write_durably(&draft.join(SUPERGRAPH), &stored.supergraph)?;
    let record = Record {
        version: stored.version.clone(),
        supergraph_sha256: digest(&stored.supergraph),
        subgraphs,
    };
    let text = serde_json::to_string_pretty(&record).expect("a version is JSON") + "\n";
    write_durably(&draft.join(RECORD), &text)?;
    sync(&schemas)?;
    sync(draft)
}

/// A subgraph's name as a file name: what is no letter, digit, `-` or `_` is percent-encoded, long names are cut and told apart by digest.
fn file_name(name: &str) -> String {
    const LONGEST: usize = 100;
    let mut file = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            file.push(char::from(byte));
        } else {
            file += &format!("%{byte:02X}");
        }
    }
    if file.len() > LONGEST {
        file.truncate(LONGEST);
        file += &format!("~{}", &digest(name)[..16]);
    }
    file
}

fn write_durably(path: &Path, text: &str) -> Result<(), RegistryError> {
    let write = || {
        let mut file = fs::File::create_new(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| written(path, error))
}

/// A file's name is durable when its folder is.
fn sync(folder: &Path) -> Result<(), RegistryError> {
    let sync = || fs::File::open(folder)?.sync_all();
    sync().map_err(|error| written(folder, error))
}

fn verified(path: &Path, sha256: &str) -> Result<String, RegistryError> {
    let text = fs::read_to_string(path).map_err(|error| unread(path, error))?;
    if digest(&text) == sha256 {
        Ok(text)
    } else {
        Err(damaged(
            path,
            format!("its SHA-256 is not the {sha256} that was published"),
        ))
    }
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unread(path: &Path, source: std::io::Error) -> RegistryError {
    RegistryError::File {
        path: path.to_owned(),
        doing: "read",
        source,
    }
}

fn written(path: &Path, source: std::io::Error) -> RegistryError {
    RegistryError::File {
        path: path.to_owned(),
        doing: "written",
        source,
    }
}

fn damaged(path: &Path, problem: String) -> RegistryError {
    RegistryError::Damaged {
        path: path.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names() {
        for (name, file) in [("product", "product"), ("a.b/c", "a%2Eb%2Fc"), ("ä", "%C3%A4")] {
            assert_eq!(file_name(name), file);
        }
        let long = file_name(&"x".repeat(5000));
        assert_eq!(long.len(), 117);
        assert_ne!(long, file_name(&"x".repeat(5001)));
    }
}
