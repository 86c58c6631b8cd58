//! Following a registry: whoever serves its graph is told of every new version.

use std::time::Duration;

use crate::error::RegistryError;
use crate::store::Store;

/// Looks at the registry from time to time, for ever, and gives `tell` the number and supergraph of the latest version whenever that is
/// no longer `known`. While the registry cannot be read nothing changes; that is logged when it begins and when it ends.
pub async fn follow(store: Store, mut known: u64, interval: Duration, mut tell: impl FnMut(u64, String)) {
    let mut is_away = false;
    loop {
        tokio::time::sleep(interval).await;
        match newer(&store, known).await {
            Ok(found) => {
                if is_away {
                    tracing::info!(registry.address = %store.address(), "the registry can be read again");
                }
                is_away = false;
                if let Some((number, supergraph)) = found {
                    known = number;
                    tell(number, supergraph);
                }
            }
            Err(error) => {
                if !is_away {
                    tracing::error!(registry.address = %store.address(), error = %error, "the registry cannot be read; the graph in service stays");
                }
                is_away = true;
            }
        }
    }
}

/// The latest version, unless it is the known one. A registry that was restored may have a lower number.
async fn newer(store: &Store, known: u64) -> Result<Option<(u64, String)>, RegistryError> {
    match store.latest().await? {
        Some(number) if number != known => Ok(Some((number, store.supergraph(number).await?))),
        _ => Ok(None),
    }
}
