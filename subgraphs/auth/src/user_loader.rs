//! Many accounts in one statement: the loader collects the ids that one request asks for at a time.

use std::collections::HashMap;

use dataloader::{BatchFn, cached::Loader};
use fondaco_chassis::{ApiError, data_loader::YIELDS};
use fondaco_contracts::UserId;

use crate::store::{Account, Store};

const MAX_BATCH: usize = 1000;

type Loaded = Result<Option<Account>, ApiError>;

/// Loads accounts for one request, each at most once.
#[derive(Clone)]
pub struct UserLoader {
    loader: Loader<UserId, Loaded, AccountBatch>,
}

impl UserLoader {
    /// A loader with an empty cache.
    pub fn new(store: Store) -> Self {
        Self {
            loader: Loader::new(AccountBatch { store })
                .with_yield_count(YIELDS)
                .with_max_batch_size(MAX_BATCH),
        }
    }

    /// The account of `id`, if there is one.
    pub async fn load(&self, id: UserId) -> Loaded {
        self.loader.load(id).await
    }
}

#[derive(Clone)]
struct AccountBatch {
    store: Store,
}

impl BatchFn<UserId, Loaded> for AccountBatch {
    async fn load(&mut self, ids: &[UserId]) -> HashMap<UserId, Loaded> {
        match self.store.by_ids(ids).await {
            Err(error) => {
                let error = ApiError::from(error);
                ids.iter().map(|id| (*id, Err(error.clone()))).collect()
            }
            Ok(accounts) => {
                let mut loaded: HashMap<UserId, Loaded> = ids.iter().map(|id| (*id, Ok(None))).collect();
                loaded.extend(
                    accounts
                        .into_iter()
                        .map(|account| (account.id, Ok(Some(account)))),
                );
                loaded
            }
        }
    }
}
