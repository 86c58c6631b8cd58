//! The documents that were parsed already: the router sends the same few all day, and parsing one costs more than copying it.

use async_graphql::{
    Request,
    parser::{parse_query, types::ExecutableDocument},
};
use quick_cache::sync::Cache;

/// Documents kept; the least used make room.
const KEPT: usize = 1_000;
/// Longer documents are not kept, which bounds the memory: a parsed one takes some twenty times its text.
const MAX_BYTES: usize = 4 * 1024;

/// Parsed documents by their text.
pub struct Documents(Cache<String, ExecutableDocument>);

impl Documents {
    /// None yet.
    pub fn new() -> Self {
        Self(Cache::new(KEPT))
    }

    /// Gives a request its parsed document. One that does not parse is left to the schema, which says what is wrong with it.
    pub fn attach(&self, mut request: Request) -> Request {
        if request.query.len() > MAX_BYTES {
            return request;
        }
        if let Some(document) = self.0.get(&request.query) {
            request.set_parsed_query(document);
        } else if let Ok(document) = parse_query(&request.query) {
            self.0.insert(request.query.clone(), document.clone());
            request.set_parsed_query(document);
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn twice(&self, number: i32) -> i32 {
            number * 2
        }
    }

    async fn answer(documents: &Documents, query: &str) -> String {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let response = schema.execute(documents.attach(Request::new(query))).await;
        serde_json::to_string(&response).unwrap()
    }

    #[tokio::test]
    async fn kept_documents_are_answered_like_new_ones() {
        let documents = Documents::new();
        for query in ["{ twice(number: 2) }", "{ twice(", "{ thrice }", ""] {
            let first = answer(&documents, query).await;
            assert_eq!(answer(&documents, query).await, first, "{query}");
            assert_eq!(answer(&Documents::new(), query).await, first, "{query}");
        }
    }

    #[test]
    fn only_documents_that_parse_are_kept_and_only_short_ones() {
        let documents = Documents::new();
        let long = format!("{{ {} }}", "twice ".repeat(MAX_BYTES));
        for (query, kept) in [("{ twice }", 1), ("{ twice", 1), (long.as_str(), 1), ("{ a }", 2)] {
            documents.attach(Request::new(query));
            assert_eq!(documents.0.len(), kept);
        }
    }
}
