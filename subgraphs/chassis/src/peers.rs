//! Where the other services are: over HTTP, or in this process. Filled in any order: names are looked up when a call is made.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use axum::Router;

/// How a service is reached.
#[derive(Clone, Debug)]
pub enum Peer {
    /// By its URL, `http://host:port/graphql`.
    Http(String),
    /// By its router, in this process.
    Local(Router),
}

/// Services by name. Clones share one registry.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    by_name: Arc<RwLock<HashMap<String, Peer>>>,
}

impl Peers {
    /// `name` answers at `url`, which includes `/graphql`.
    pub fn insert_http(&self, name: impl Into<String>, url: impl Into<String>) {
        self.insert(name.into(), Peer::Http(url.into()));
    }

    /// `name` runs in this process.
    pub fn insert_local(&self, name: impl Into<String>, router: Router) {
        self.insert(name.into(), Peer::Local(router));
    }

    /// How `name` is reached, if that is known by now.
    pub fn get(&self, name: &str) -> Option<Peer> {
        self.by_name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn insert(&self, name: String, peer: Peer) {
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, peer);
    }
}
