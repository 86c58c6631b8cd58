//! A small disk that can be filled up: a tmpfs of its own.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

use nix::unistd::geteuid;

use crate::scratch::Scratch;

const FILLER: &str = "filler";

/// A mounted tmpfs; goes with its owner.
#[derive(Debug)]
pub struct Disk {
    folder: Scratch,
}

impl Disk {
    /// Mounts one of so many megabytes. Needs root, or `sudo` that asks nothing.
    pub fn mount(megabytes: u32) -> std::io::Result<Self> {
        let folder = Scratch::new("disk")?;
        let size = format!("size={megabytes}m,mode=755");
        let path = folder.path().to_string_lossy().into_owned();
        as_root(&["mount", "-t", "tmpfs", "-o", &size, "tmpfs", &path])?;
        let disk = Self { folder };
        if !geteuid().is_root() {
            as_root(&["chown", &geteuid().to_string(), &path])?;
        }
        Ok(disk)
    }

    /// An empty folder on it.
    pub fn folder(&self, name: &str) -> std::io::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Writes until there is no room left.
    pub fn fill(&self) -> std::io::Result<()> {
        let mut filler = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.filler())?;
        for block in [1 << 20, 1 << 12, 1] {
            let block = vec![0; block];
            loop {
                match filler.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub fn free(&self) -> std::io::Result<()> {
        std::fs::remove_file(self.filler())
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join(FILLER)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path = self.folder.path().to_string_lossy().into_owned();
        // Lazily: a server on it may only just be ending.
        if let Err(error) = as_root(&["umount", "-l", &path]) {
            eprintln!("{path} stays mounted: {error}");
        }
    }
}

fn as_root(command: &[&str]) -> std::io::Result<()> {
    let mut whole = if geteuid().is_root() {
        vec![]
    } else {
        vec!["sudo", "-n"]
    };
    whole.extend(command);
    let output = Command::new(whole[0]).args(&whole[1..]).output()?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(std::io::Error::other(format!(
        "`{}` failed, and a full disk needs one that can be mounted (root, or sudo without a password): {why}",
        whole.join(" ")
    )))
}
