//! Queries: the listing, one product, and what the order service asks before it sells.

use std::collections::HashMap;

use async_graphql::{
    Context, ID, InputObject, Object,
    connection::{Connection, CursorType, Edge, EmptyFields},
};
use fondaco_chassis::{ApiError, caller, require_service};
use fondaco_contracts::{Sku, money::Amount};

use super::{
    entity::{find_by_id, find_by_slug},
    types::WRITE_SCOPE,
};
use crate::{
    catalogue::Catalogue,
    cursor::Cursor,
    product::{Product, ProductStatus, PurchasableVariant},
    search::Search,
    store::{Filter, Listing, ProductSort, Span, Store},
};

const DEFAULT_PAGE: i32 = 20;
const MAX_PAGE: i32 = 100;
const MAX_SKUS: usize = 200;

/// A Relay connection of products.
type ProductConnection = Connection<Cursor, Product, EmptyFields, EmptyFields>;

/// Which products are listed; conditions are joined by "and".
#[derive(Clone, Debug, Default, InputObject)]
pub struct ProductFilter {
    /// Exactly this category, such as `Coats`.
    category: Option<String>,
    /// Some variant costs at least this, in minor units.
    price_min: Option<Amount>,
    /// Some variant costs at most this, in minor units.
    price_max: Option<Amount>,
    /// Sold as a limited drop, or not.
    in_drop: Option<bool>,
    /// `ACTIVE` unless given; anything else needs the scope `product:write`.
    status: Option<ProductStatus>,
}

/// What clients and services ask.
#[derive(Default)]
pub struct CatalogueQuery;

#[Object]
impl CatalogueQuery {
    /// The catalogue, page by page: at most 100 products a page, 20 unless asked otherwise.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Words that must all occur, each from its beginning.")] search: Option<String>,
        filter: Option<ProductFilter>,
        #[graphql(desc = "By relevance when searching, else the newest first.")] sort: Option<ProductSort>,
    ) -> Result<ProductConnection, ApiError> {
        let filter = read_filter(
            ctx,
            search.as_deref().unwrap_or_default(),
            filter.unwrap_or_default(),
        )?;
        let sort = effective_sort(sort, &filter.search);
        let span = read_span(sort, first, after.as_deref(), last, before.as_deref())?;
        let listing = Listing { filter, sort, span };
        let page = ctx.data_unchecked::<Catalogue>().list(listing.clone()).await?;
        let Span {
            after,
            before,
            from_end,
            ..
        } = &listing.span;
        // What lies behind a cursor that was passed in is not empty: the cursor's own product is there.
        let (has_previous, has_next) = if *from_end {
            (page.has_more, before.is_some())
        } else {
            (after.is_some(), page.has_more)
        };
        let mut connection = Connection::new(has_previous, has_next);
        connection.edges.extend(
            page.products
                .iter()
                .map(|(cursor, product)| Edge::new(cursor.clone(), product.clone())),
        );
        Ok(connection)
    }

    /// One product, by exactly one of its keys; null when there is none.
    async fn product(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        slug: Option<String>,
    ) -> Result<Option<Product>, ApiError> {
        match (id, slug) {
            (Some(id), None) => find_by_id(ctx, &id).await,
            (None, Some(slug)) => find_by_slug(ctx, slug).await,
            _ => Err(ApiError::BadUserInput(
                "give exactly one of id and slug".to_owned(),
            )),
        }
    }

    /// What is needed to sell these variants, in the order asked; null for unknown SKUs. For services only.
    #[graphql(inaccessible, guard = "require_service()")]
    async fn purchasable_variants(
        &self,
        ctx: &Context<'_>,
        skus: Vec<ID>,
    ) -> Result<Vec<Option<PurchasableVariant>>, ApiError> {
        if skus.len() > MAX_SKUS {
            return Err(ApiError::BadUserInput(format!("at most {MAX_SKUS} SKUs a call")));
        }
        let wellformed: Vec<Sku> = skus.iter().filter_map(|sku| sku.parse().ok()).collect();
        let found = ctx.data_unchecked::<Store>().purchasable(&wellformed).await?;
        let by_sku: HashMap<&str, &PurchasableVariant> = found
            .iter()
            .map(|variant| (variant.sku.as_str(), variant))
            .collect();
        Ok(skus
            .iter()
            .map(|sku| by_sku.get(sku.as_str()).copied().cloned())
            .collect())
    }
}

fn read_filter(ctx: &Context<'_>, search: &str, filter: ProductFilter) -> Result<Filter, ApiError> {
    let status = filter.status.unwrap_or(ProductStatus::Active);
    if status != ProductStatus::Active {
        caller(ctx).require_scope(WRITE_SCOPE)?;
    }
    if filter
        .category
        .as_deref()
        .is_some_and(|category| category.contains('\0'))
    {
        return Err(ApiError::BadUserInput(
            "a category has no control characters".to_owned(),
        ));
    }
    Ok(Filter {
        search: Search::parse(search),
        category: filter.category,
        price_min: filter.price_min,
        price_max: filter.price_max,
        in_drop: filter.in_drop,
        status,
    })
}

/// Relevance means something only when there are words to be relevant to.
fn effective_sort(sort: Option<ProductSort>, search: &Search) -> ProductSort {
    match (sort.unwrap_or(ProductSort::Relevance), search) {
        (ProductSort::Relevance, Search::Everything | Search::Nothing) => ProductSort::Newest,
        (sort, _) => sort,
    }
}

fn read_span(
    sort: ProductSort,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<Span, ApiError> {
    let (count, from_end) = match (first, last) {
        (Some(_), Some(_)) => return Err(ApiError::BadUserInput("give first or last, not both".to_owned())),
        (None, Some(last)) => (last, true),
        (first, None) => (first.unwrap_or(DEFAULT_PAGE), false),
    };
    let limit = usize::try_from(count).ok().filter(|_| count <= MAX_PAGE);
    let limit = limit.ok_or_else(|| {
        let name = if from_end { "last" } else { "first" };
        ApiError::BadUserInput(format!("{name} must be between 0 and {MAX_PAGE}"))
    })?;
    Ok(Span {
        after: read_cursor(sort, after)?,
        before: read_cursor(sort, before)?,
        limit,
        from_end,
    })
}

fn read_cursor(sort: ProductSort, text: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let cursor = Cursor::decode_cursor(text).map_err(|error| ApiError::BadUserInput(error.to_string()))?;
    if sort.accepts(&cursor.key) {
        Ok(Some(cursor))
    } else {
        Err(ApiError::BadUserInput(
            "the cursor belongs to another sort order".to_owned(),
        ))
    }
}
