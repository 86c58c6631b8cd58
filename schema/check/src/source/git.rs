//! A configuration and its schemas as they were at a commit, read through the `git` program.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use fondaco_composition::SubgraphSource;
use fondaco_composition::config::{ConfigError, SubgraphConfig, SupergraphConfig};

use crate::source::SourceError;

/// The subgraphs that the configuration named at that commit.
pub(super) fn sources(config: &Path, reference: &str) -> Result<Vec<SubgraphSource>, SourceError> {
    let repository = Repository::of(config)?;
    let commit = repository.commit(reference)?;
    let yaml = repository.show(&commit, reference, config)?;
    let named = SupergraphConfig::parse(&yaml, config)?;
    let folder = config.parent().unwrap_or(Path::new("."));
    let subgraphs = named.subgraphs.into_iter();
    subgraphs
        .map(|(name, subgraph)| source(&repository, &commit, reference, folder, name, subgraph))
        .collect()
}

fn source(
    repository: &Repository,
    commit: &str,
    reference: &str,
    folder: &Path,
    name: String,
    subgraph: SubgraphConfig,
) -> Result<SubgraphSource, SourceError> {
    let Some(file) = subgraph.schema.file else {
        let message = format!(
            "subgraph \"{name}\" had no schema file at {reference}: what its address answered then is not in git"
        );
        return Err(SourceError::Git(message));
    };
    let path = folder.join(file);
    let sdl = repository.show(commit, reference, &path)?;
    let url = subgraph
        .routing_url
        .ok_or_else(|| ConfigError::RoutingUrl(name.clone()))?;
    Ok(SubgraphSource {
        name,
        url,
        sdl,
        file: Some(path.display().to_string()),
    })
}

/// The working copy a file is in.
struct Repository {
    top: PathBuf,
}

impl Repository {
    fn of(config: &Path) -> Result<Self, SourceError> {
        let folder = match config.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let top = git_bytes(folder, &["rev-parse", "--show-toplevel"]).map_err(|problem| {
            SourceError::Git(format!("{} is in no repository: {problem}", folder.display()))
        })?;
        let top = top.strip_suffix(b"\n").unwrap_or(&top);
        Ok(Self {
            top: PathBuf::from(OsStr::from_bytes(top)),
        })
    }

    /// The commit that a branch, tag or commit names.
    fn commit(&self, reference: &str) -> Result<String, SourceError> {
        let commit = format!("{reference}^{{commit}}");
        let found = git(
            &self.top,
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit],
        );
        let found = found.map_err(|_| {
            let message = format!(
                "there is no commit, branch or tag \"{reference}\" in {}; a shallow clone may have to fetch it first",
                self.top.display()
            );
            SourceError::Git(message)
        })?;
        Ok(found.trim().to_owned())
    }

    /// A file as it was.
    fn show(&self, commit: &str, reference: &str, path: &Path) -> Result<String, SourceError> {
        let inside = self.inside(path)?;
        let mut object = OsString::from(format!("{commit}:"));
        object.push(&inside);
        let blob = self.blob(&object);
        blob.and_then(|blob| git(&self.top, &["cat-file", "blob", &blob]))
            .map_err(|problem| {
                let inside = inside.display();
                SourceError::Git(format!("cannot read {inside} at {reference}: {problem}"))
            })
    }

    /// The id of what a path held at a commit. Links are followed as they were then, within the repository.
    fn blob(&self, object: &OsStr) -> Result<String, String> {
        let input = [object.as_bytes(), b"\n"].concat();
        let arguments = ["cat-file", "--batch-check", "--follow-symlinks"];
        let found = git_with_input(&self.top, &arguments, &input)?;
        let found = String::from_utf8_lossy(&found);
        // `ID blob SIZE`, or what was asked for with a word about why not.
        let mut words = found.lines().next().unwrap_or_default().rsplitn(3, ' ').skip(1);
        match (words.next(), words.next()) {
            (Some("blob"), Some(id)) => Ok(id.to_owned()),
            (Some("tree"), _) => Err("it was a folder".to_owned()),
            _ if found.ends_with(" missing\n") => Err("there was no such file".to_owned()),
            _ => Err("it was a link to something that is not in the repository".to_owned()),
        }
    }

    /// The path from the top of the working copy, with slashes. The file need not exist any more.
    fn inside(&self, path: &Path) -> Result<OsString, SourceError> {
        let failed = |message: String| SourceError::Path {
            path: path.to_owned(),
            message,
        };
        let absolute = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
        let absolute = without_dots(&absolute);
        let top = self.top.canonicalize().unwrap_or_else(|_| self.top.clone());
        // Links on the way to the repository lead there today; those in it may have led elsewhere then.
        let way = absolute
            .ancestors()
            .find(|folder| folder.canonicalize().is_ok_and(|real| real == top));
        let inside = match way {
            Some(way) => absolute.strip_prefix(way).map(Path::to_owned),
            None => resolve_links(&absolute).strip_prefix(&top).map(Path::to_owned),
        };
        let inside =
            inside.map_err(|_| failed(format!("is not in the repository {}", self.top.display())))?;
        let parts: Vec<&OsStr> = inside.components().map(Component::as_os_str).collect();
        Ok(parts.join(OsStr::new("/")))
    }
}

/// The path without `.` and `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// The path with the symbolic links of its existing folders resolved.
fn resolve_links(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(folder), Some(name)) => resolve_links(folder).join(name),
        _ => path.to_owned(),
    }
}

/// What git prints, as text.
fn git(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<String, String> {
    let printed = git_bytes(folder, arguments)?;
    String::from_utf8(printed).map_err(|_| "the file is not UTF-8".to_owned())
}

/// What git prints, or what it complains of.
fn git_bytes(folder: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<Vec<u8>, String> {
    git_with_input(folder, arguments, b"")
}

fn git_with_input(folder: &Path, arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("git");
    // A hook's variables speak of its own folder.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(variable);
    }
    command.arg("-C").arg(folder).args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut run = || {
        let mut process = command.spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            stdin.write_all(input)?;
        }
        process.wait_with_output()
    };
    let output = run().map_err(|error| format!("the git program cannot be run: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(complaint.trim().lines().next().unwrap_or("it failed").to_owned());
    }
    Ok(output.stdout)
}
