//! A registry of one graph: numbered versions of its subgraphs' schemas, each with the supergraph composed from them. It is a
//! folder, or a Postgres database.
//!
//! - [`publish`]: the driver of a publication: what is proposed is composed, checked against the latest version, and appended
//! - [`follow`]: tells of every new version
//! - [`version`]: what is stored; [`address`]: where
//! - [`store`]: both kinds behind one type; `folder`, `postgres`: the kinds; [`error`]: what goes wrong
//!
//! Versions are never changed, and appending one succeeds only for one publisher: whoever was overtaken is checked again, against the
//! version that was faster.

pub mod address;
pub mod error;
mod folder;
pub mod follow;
mod postgres;
pub mod publish;
pub mod store;
pub mod version;

pub use address::Address;
pub use error::RegistryError;
pub use follow::follow;
pub use publish::{Outcome, Proposal, ProposedSubgraphs, PublishError, publish};
pub use store::{Access, Store};
pub use version::{ChangeKind, Stored, SubgraphChange, Summary, Version};
