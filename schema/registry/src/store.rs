//! Both kinds of registries behind one type.

use crate::address::Address;
use crate::error::RegistryError;
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::version::{Stored, Version};

/// What a registry is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read: there must be one.
    Read,
    /// To publish: one is made where there is none.
    Publish,
}

/// An open registry. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    address: Address,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder(Folder),
    Postgres(Postgres),
}

impl Store {
    /// Opens the registry.
    ///
    /// # Errors
    /// Where there is none, or it cannot be made, reached or used.
    pub async fn open(address: &Address, access: Access) -> Result<Self, RegistryError> {
        let kind = match address {
            Address::Folder(path) => Kind::Folder(Folder::open(path.clone(), access)?),
            Address::Postgres(options) => Kind::Postgres(Postgres::open(address, options, access).await?),
        };
        Ok(Self {
            address: address.clone(),
            kind,
        })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The newest version's number, if any was published.
    ///
    /// # Errors
    /// Where the registry cannot be read.
    pub async fn latest(&self) -> Result<Option<u64>, RegistryError> {
        match &self.kind {
            Kind::Folder(folder) => on_disk(folder, Folder::latest).await,
            Kind::Postgres(postgres) => postgres.latest().await,
        }
    }

    /// A version with its documents.
    ///
    /// # Errors
    /// Where there is no such version, or it cannot be read.
    pub async fn read(&self, number: u64) -> Result<Stored, RegistryError> {
        let found = match &self.kind {
            Kind::Folder(folder) => on_disk(folder, move |folder| folder.read(number)).await?,
            Kind::Postgres(postgres) => postgres.read(number).await?,
        };
        self.known(number, found).await
    }

    /// The supergraph of a version.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn supergraph(&self, number: u64) -> Result<String, RegistryError> {
        let found = match &self.kind {
            Kind::Folder(folder) => on_disk(folder, move |folder| folder.supergraph(number)).await?,
            Kind::Postgres(postgres) => postgres.supergraph(number).await?,
        };
        self.known(number, found).await
    }

    /// All versions, the newest first.
    ///
    /// # Errors
    /// Where the registry cannot be read.
    pub async fn history(&self) -> Result<Vec<Version>, RegistryError> {
        match &self.kind {
            Kind::Folder(folder) => on_disk(folder, Folder::history).await,
            Kind::Postgres(postgres) => postgres.history().await,
        }
    }

    /// Appends a version whole, or not at all: `false` where another publisher was first to take its number.
    ///
    /// # Errors
    /// Where the registry cannot be written.
    pub async fn append(&self, stored: &Stored) -> Result<bool, RegistryError> {
        match &self.kind {
            Kind::Folder(folder) => {
                let stored = stored.clone();
                on_disk(folder, move |folder| folder.append(&stored)).await
            }
            Kind::Postgres(postgres) => postgres.append(stored).await,
        }
    }

    async fn known<T>(&self, number: u64, found: Option<T>) -> Result<T, RegistryError> {
        match found {
            Some(found) => Ok(found),
            None => Err(RegistryError::NoVersion {
                address: self.address.clone(),
                number,
                latest: self.latest().await?,
            }),
        }
    }
}

/// Disks make threads wait.
async fn on_disk<T: Send + 'static>(
    folder: &Folder,
    work: impl FnOnce(&Folder) -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, RegistryError> {
    let folder = folder.clone();
    tokio::task::spawn_blocking(move || work(&folder))
        .await
        .expect("reading and writing files does not panic")
}
