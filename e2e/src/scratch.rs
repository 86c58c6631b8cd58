//! A temporary folder that vanishes with its owner.

use std::path::{Path, PathBuf};

/// An empty folder of its own under the system's temporary folder; removed on drop.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Creates the folder; `purpose` becomes part of its name.
    pub fn new(purpose: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("fondaco-{purpose}-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the folder and returns its path.
    pub fn write(&self, name: &str, content: &str) -> std::io::Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder left behind harms nothing.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
