//! Schemas at a commit: links lead where they led then.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use fondaco_check::source::{Against, sources_of};

/// A repository that goes with the test.
struct Repository(PathBuf);

impl Repository {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("fondaco-check-git-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let repository = Self(folder);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        let config = "subgraphs: { a: { routing_url: 'http://a.test', schema: { file: a.graphql } } }\n";
        std::fs::write(repository.0.join("supergraph.yaml"), config).unwrap();
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        let status = Command::new("git")
            .arg("-C")
            .arg(&self.0)
            .args(identity)
            .args(arguments)
            .status();
        assert!(status.unwrap().success(), "{arguments:?}");
    }

    fn commit(&self, tag: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", tag]);
        self.git(&["tag", tag]);
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The schema that `a` had at the tag, or why it cannot be told.
fn schema(config: &Path, tag: &str) -> Result<String, String> {
    let mut fetch = |_: &str| Err("nothing is fetched".to_owned());
    let sources = sources_of(&Against::Git(tag.to_owned()), config, &mut fetch);
    sources
        .map(|sources| sources[0].sdl.clone())
        .map_err(|error| error.to_string())
}

#[test]
fn links_lead_where_they_led_then() {
    let repository = Repository::new();
    let (folder, file) = (&repository.0, repository.0.join("a.graphql"));
    std::fs::create_dir(folder.join("real")).unwrap();
    std::fs::write(folder.join("real/a.graphql"), "type Query { linked: Int }\n").unwrap();
    symlink("real/a.graphql", &file).unwrap();
    repository.commit("linked");
    std::fs::remove_file(&file).unwrap();
    symlink("/nowhere.graphql", &file).unwrap();
    repository.commit("outside");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    std::fs::write(file.join("x"), "").unwrap();
    repository.commit("folder");
    std::fs::remove_dir_all(&file).unwrap();
    repository.commit("gone");
    std::fs::write(&file, "type Query { plain: Int }\n").unwrap();
    std::fs::remove_dir_all(folder.join("real")).unwrap();
    repository.commit("plain");
    // The way to the repository may be a link too.
    let way = folder.with_extension("link");
    symlink(folder, &way).unwrap();
    for config in [folder.join("supergraph.yaml"), way.join("supergraph.yaml")] {
        for (tag, expected) in [
            ("linked", Ok("linked: Int")),
            ("plain", Ok("plain: Int")),
            (
                "outside",
                Err("a link to something that is not in the repository"),
            ),
            ("folder", Err("it was a folder")),
            ("gone", Err("there was no such file")),
        ] {
            match (schema(&config, tag), expected) {
                (Ok(found), Ok(expected)) | (Err(found), Err(expected)) => {
                    assert!(found.contains(expected), "{tag}: {found}");
                }
                (found, _) => panic!("{tag}: {found:?}"),
            }
        }
    }
    std::fs::remove_file(way).unwrap();
}
