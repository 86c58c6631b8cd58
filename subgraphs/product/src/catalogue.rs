//! The catalogue as it is read: from memory while Postgres is known to tell of changes, else from the database.
//!
//! A trigger notifies of every write. What is kept is kept under the version at which reading began, and a change makes a new version: a
//! reading that was under way when a change came is never found again. Without the subscription nothing is kept, and what is kept is
//! read anew after a while (`keep_seconds`), should a notification ever be lost. What orders pay is read by [`Store::purchasable`], always from the database.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use fondaco_contracts::{ProductId, Sku};
use quick_cache::sync::Cache;
use sqlx::{PgPool, postgres::PgListener};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    product::{Product, Variant},
    store::{Listing, Page, Store},
};

/// The channel of the trigger (`migrations/0002_notify.sql`).
const CHANNEL: &str = "catalogue";
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How many of each kind are kept; a page has at most 100 products.
const PAGES: usize = 256;
const PRODUCTS: usize = 10_000;
const VARIANTS: usize = 20_000;
/// No subscription: nothing is kept.
const UNFOLLOWED: u64 = 0;

type Found<K, V> = Result<HashMap<K, V>, sqlx::Error>;

/// Reads products and variants. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue {
    store: Store,
    kept: Arc<Kept>,
}

struct Kept {
    /// [`UNFOLLOWED`], or a number that every change replaces.
    followed: AtomicU64,
    last: AtomicU64,
    since: Instant,
    keep_seconds: u64,
    pages: Cache<(Version, Listing), Arc<Page>>,
    products: Cache<(Version, ProductId), Option<Product>>,
    slugs: Cache<(Version, String), Option<Product>>,
    variants: Cache<(Version, Sku), Option<Variant>>,
    variants_of: Cache<(Version, ProductId), Vec<Variant>>,
}

/// What was read under one version stays together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Version {
    change: u64,
    period: u64,
}

impl Catalogue {
    /// Reads by `store`; keeps what it reads for `keep_seconds`, but nothing until [`Catalogue::follow`] runs.
    pub fn new(store: Store, keep_seconds: u32) -> Self {
        let kept = Kept {
            followed: AtomicU64::new(UNFOLLOWED),
            last: AtomicU64::new(UNFOLLOWED),
            since: Instant::now(),
            keep_seconds: keep_seconds.into(),
            pages: Cache::new(PAGES),
            products: Cache::new(PRODUCTS),
            slugs: Cache::new(PRODUCTS),
            variants: Cache::new(VARIANTS),
            variants_of: Cache::new(PRODUCTS),
        };
        Self {
            store,
            kept: Arc::new(kept),
        }
    }

    /// One page of products; of many who ask for the same page at once, one reads it.
    pub async fn list(&self, listing: Listing) -> Result<Arc<Page>, sqlx::Error> {
        let read = async |listing: &Listing| self.store.list(listing).await.map(Arc::new);
        match self.kept.version() {
            Some(version) => {
                let key = (version, listing);
                self.kept.pages.get_or_insert_async(&key, read(&key.1)).await
            }
            None => read(&listing).await,
        }
    }

    /// Each of `ids` with its product, if there is one.
    pub async fn products_by_id(&self, ids: &[ProductId]) -> Found<ProductId, Option<Product>> {
        let read = async |ids: Vec<ProductId>| {
            let found = self.store.products_by_id(&ids).await?;
            Ok(one_each(ids, found, |product| product.id))
        };
        self.kept.read_through(&self.kept.products, ids, read).await
    }

    /// Each of `slugs` with its product, if there is one.
    pub async fn products_by_slug(&self, slugs: &[String]) -> Found<String, Option<Product>> {
        let read = async |slugs: Vec<String>| {
            let found = self.store.products_by_slug(&slugs).await?;
            Ok(one_each(slugs, found, |product| product.slug.clone()))
        };
        self.kept.read_through(&self.kept.slugs, slugs, read).await
    }

    /// Each of `skus` with its variant, if there is one.
    pub async fn variants_by_sku(&self, skus: &[Sku]) -> Found<Sku, Option<Variant>> {
        let read = async |skus: Vec<Sku>| {
            let found = self.store.variants_by_sku(&skus).await?;
            Ok(one_each(skus, found, |variant| variant.sku.clone()))
        };
        self.kept.read_through(&self.kept.variants, skus, read).await
    }

    /// Each of `products` with its variants in the merchant's order.
    pub async fn variants_of(&self, products: &[ProductId]) -> Found<ProductId, Vec<Variant>> {
        let read = async |products: Vec<ProductId>| {
            let found = self.store.variants_of(&products).await?;
            let mut by_product: HashMap<_, Vec<Variant>> =
                products.into_iter().map(|id| (id, Vec::new())).collect();
            for variant in found {
                by_product.entry(variant.product_id).or_default().push(variant);
            }
            Ok(by_product)
        };
        self.kept
            .read_through(&self.kept.variants_of, products, read)
            .await
    }

    /// Tells that this process has written; others, and this one again, hear of it from Postgres.
    pub fn changed(&self) {
        self.kept.changed();
    }

    /// Listens for changes until `stop`; meanwhile what is read is kept.
    pub async fn follow(self, pool: PgPool, stop: CancellationToken) {
        while let Some(ended) = stop.run_until_cancelled(self.listen(&pool)).await {
            self.kept.followed.store(UNFOLLOWED, Ordering::Release);
            if let Err(error) = ended {
                tracing::warn!(error.cause = %error, "changes of the catalogue are not heard: it is read from Postgres");
            }
            stop.run_until_cancelled(sleep(RETRY_PAUSE)).await;
        }
    }

    /// Returns when the subscription is lost.
    async fn listen(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        self.kept.follow();
        while listener.try_recv().await?.is_some() {
            self.kept.changed();
        }
        Ok(())
    }
}

impl Kept {
    /// `None` while nothing may be kept.
    fn version(&self) -> Option<Version> {
        let change = self.followed.load(Ordering::Acquire);
        let period = self.since.elapsed().as_secs().checked_div(self.keep_seconds)?;
        (change != UNFOLLOWED).then_some(Version { change, period })
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn follow(&self) {
        self.followed.store(self.next(), Ordering::Release);
    }

    /// Leaves an [`UNFOLLOWED`] catalogue as it is: the listener may have ended meanwhile.
    fn changed(&self) {
        let next = self.next();
        let replace = |followed| (followed != UNFOLLOWED).then_some(next);
        // Refused only while unfollowed.
        let _ = self
            .followed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, replace);
    }

    /// What `cache` has of `keys`, and the rest by `read`, which answers every key it is asked for.
    async fn read_through<K, V>(
        &self,
        cache: &Cache<(Version, K), V>,
        keys: &[K],
        read: impl AsyncFnOnce(Vec<K>) -> Found<K, V>,
    ) -> Found<K, V>
    where
        K: Clone + Eq + Hash,
        V: Clone,
    {
        let Some(version) = self.version() else {
            return read(keys.to_vec()).await;
        };
        let mut found = HashMap::with_capacity(keys.len());
        let mut missing = Vec::new();
        for key in keys {
            match cache.get(&(version, key.clone())) {
                Some(value) => drop(found.insert(key.clone(), value)),
                None => missing.push(key.clone()),
            }
        }
        if !missing.is_empty() {
            for (key, value) in read(missing).await? {
                cache.insert((version, key.clone()), value.clone());
                found.insert(key, value);
            }
        }
        Ok(found)
    }
}

/// Every key with what was found under it, if anything.
fn one_each<K: Eq + Hash, V>(keys: Vec<K>, found: Vec<V>, key: impl Fn(&V) -> K) -> HashMap<K, Option<V>> {
    let mut by_key: HashMap<K, V> = found.into_iter().map(|value| (key(&value), value)).collect();
    keys.into_iter()
        .map(|key| {
            let value = by_key.remove(&key);
            (key, value)
        })
        .collect()
}
