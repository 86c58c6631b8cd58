//! Listing products: search, filter, order and page, in one statement.

use async_graphql::Enum;
use fondaco_contracts::money::Amount;
use sqlx::{FromRow, Postgres, QueryBuilder, Row, postgres::PgRow};

use super::Store;
use crate::{
    cursor::{Cursor, SortKey},
    product::{Product, ProductStatus},
    search::Search,
};

/// How products are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Enum)]
pub enum ProductSort {
    /// The best match of the search first.
    Relevance,
    /// By name, A to Z.
    Name,
    /// By lowest variant price, cheapest first.
    PriceAsc,
    /// By lowest variant price, dearest first.
    PriceDesc,
    /// Added last, first.
    Newest,
}

/// Which products are listed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Filter {
    /// What the shopper typed.
    pub search: Search,
    /// Exactly this category.
    pub category: Option<String>,
    /// Some variant costs at least this, in minor units.
    pub price_min: Option<Amount>,
    /// Some variant costs at most this, in minor units.
    pub price_max: Option<Amount>,
    /// Sold as a limited drop, or not.
    pub in_drop: Option<bool>,
    /// Where they stand in their lives.
    pub status: ProductStatus,
}

/// Which part of the list is wanted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// Products behind this place only.
    pub after: Option<Cursor>,
    /// Products ahead of this place only.
    pub before: Option<Cursor>,
    /// How many.
    pub limit: usize,
    /// From the end of what remains, instead of its beginning.
    pub from_end: bool,
}

/// A request for one page.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Listing {
    /// Which products.
    pub filter: Filter,
    /// In which order.
    pub sort: ProductSort,
    /// Which part.
    pub span: Span,
}

/// One page, in list order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Each product with its place.
    pub products: Vec<(Cursor, Product)>,
    /// Are there more beyond the page, in the direction of paging?
    pub has_more: bool,
}

/// A row of the listing: the product and what it can be sorted by.
struct Listed {
    product: Product,
    price_min: i64,
    rank: i32,
}

impl Store {
    /// One page of products.
    pub async fn list(&self, listing: &Listing) -> Result<Page, sqlx::Error> {
        if listing.filter.search == Search::Nothing {
            return Ok(Page::default());
        }
        let mut statement = statement(listing);
        let mut rows: Vec<Listed> = statement.build_query_as().fetch_all(&self.pool).await?;
        let has_more = rows.len() > listing.span.limit;
        rows.truncate(listing.span.limit);
        if listing.span.from_end {
            rows.reverse();
        }
        let products = rows
            .into_iter()
            .map(|row| (row.cursor(listing.sort), row.product))
            .collect();
        Ok(Page { products, has_more })
    }
}

impl ProductSort {
    /// The SQL expression that products are ordered by; the id, in the same direction, decides between equals.
    const fn expression(self) -> &'static str {
        match self {
            // An integer, so that a cursor repeats it exactly.
            Self::Relevance => "(ts_rank(search, query) * 1000000)::int",
            Self::Name => "name",
            Self::PriceAsc | Self::PriceDesc => "price_min",
            Self::Newest => "created_at",
        }
    }

    const fn is_descending(self) -> bool {
        matches!(self, Self::Relevance | Self::PriceDesc | Self::Newest)
    }

    /// May a cursor with this key be used with this order?
    pub fn accepts(self, key: &SortKey) -> bool {
        matches!(
            (self, key),
            (Self::Relevance, SortKey::Rank(_))
                | (Self::Name, SortKey::Name(_))
                | (Self::PriceAsc | Self::PriceDesc, SortKey::Price(_))
                | (Self::Newest, SortKey::Created(_))
        )
    }
}

impl Listed {
    fn cursor(&self, sort: ProductSort) -> Cursor {
        let key = match sort {
            ProductSort::Relevance => SortKey::Rank(self.rank),
            ProductSort::Name => SortKey::Name(self.product.name.clone()),
            ProductSort::PriceAsc | ProductSort::PriceDesc => SortKey::Price(self.price_min),
            ProductSort::Newest => SortKey::Created(self.product.created_at),
        };
        Cursor {
            key,
            id: self.product.id,
        }
    }
}

impl FromRow<'_, PgRow> for Listed {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            product: Product::from_row(row)?,
            price_min: row.try_get("price_min")?,
            rank: row.try_get("rank")?,
        })
    }
}

/// One more row than asked for is read, to learn whether there are more.
fn statement(listing: &Listing) -> QueryBuilder<Postgres> {
    let Listing { filter, sort, span } = listing;
    let mut sql =
        QueryBuilder::new("SELECT id, slug, name, description, category, status, created_at, price_min, ");
    sql.push(if *sort == ProductSort::Relevance {
        sort.expression()
    } else {
        "0"
    })
    .push(" AS rank FROM product");
    push_filter(&mut sql, filter);
    let forward = if sort.is_descending() { "<" } else { ">" };
    let backward = if sort.is_descending() { ">" } else { "<" };
    push_bound(&mut sql, *sort, forward, span.after.as_ref());
    push_bound(&mut sql, *sort, backward, span.before.as_ref());
    let direction = if sort.is_descending() == span.from_end {
        "ASC"
    } else {
        "DESC"
    };
    let expression = sort.expression();
    sql.push(format!(
        " ORDER BY {expression} {direction}, id {direction} LIMIT "
    ));
    sql.push_bind(i64::try_from(span.limit + 1).expect("the page size is capped"));
    sql
}

fn push_filter(sql: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Search::Words(words) = &filter.search {
        sql.push(", to_tsquery('english', ")
            .push_bind(words.clone())
            .push(") AS query");
    }
    sql.push(" WHERE status = ").push_bind(filter.status.as_str());
    if matches!(filter.search, Search::Words(_)) {
        sql.push(" AND search @@ query");
    }
    if let Some(category) = &filter.category {
        sql.push(" AND category = ").push_bind(category.clone());
    }
    if let Some(least) = filter.price_min {
        sql.push(" AND price_max >= ").push_bind(least.minor_units());
    }
    if let Some(most) = filter.price_max {
        sql.push(" AND price_min <= ").push_bind(most.minor_units());
    }
    if let Some(in_drop) = filter.in_drop {
        sql.push(" AND in_drop = ").push_bind(in_drop);
    }
}

fn push_bound(sql: &mut QueryBuilder<Postgres>, sort: ProductSort, operator: &str, place: Option<&Cursor>) {
    let Some(Cursor { key, id }) = place else { return };
    sql.push(format!(" AND ({}, id) {operator} (", sort.expression()));
    match key {
        SortKey::Rank(rank) => sql.push_bind(*rank),
        SortKey::Name(name) => sql.push_bind(name.clone()),
        SortKey::Price(price) => sql.push_bind(*price),
        SortKey::Created(time) => sql.push_bind(*time),
    };
    sql.push(", ").push_bind(id.as_uuid()).push(")");
}
