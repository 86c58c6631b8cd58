//! The federation side of a schema: building it with the platform's limits, `@authenticated`, and the SDL a service publishes.

use async_graphql::{EmptySubscription, ObjectType, SDLExportOptions, Schema, SchemaBuilder, TypeDirective};

/// `@authenticated` of Federation 2.5: `#[graphql(directive = authenticated::apply())]`.
pub use directive::authenticated;

#[expect(missing_docs, reason = "the macro writes an undocumented function")]
mod directive {
    use super::TypeDirective;

    #[TypeDirective(location = "FieldDefinition", location = "Object")]
    pub fn authenticated() {}
}

const MAX_DEPTH: usize = 32;
const MAX_COMPLEXITY: usize = 4_000;

/// A schema builder with federation on and the platform's limits set.
pub fn schema<Q, M>(query: Q, mutation: M) -> SchemaBuilder<Q, M, EmptySubscription>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
{
    Schema::build(query, mutation, EmptySubscription)
        .enable_federation()
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COMPLEXITY)
}

/// The Federation 2 SDL of a schema, as composition reads it.
pub fn sdl<Q, M>(schema: &Schema<Q, M, EmptySubscription>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
{
    let exported = schema.sdl_with_options(SDLExportOptions::new().federation().use_space_ident());
    publishable(&exported)
}

/// What async-graphql itself answers to `{ _service { sdl } }`; the server puts [`sdl`] in its place.
pub(crate) fn unpublished_sdl<Q, M>(schema: &Schema<Q, M, EmptySubscription>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
{
    schema.sdl_with_options(SDLExportOptions::new().federation().compose_directive())
}

/// The directives of Federation 2.5 that a subgraph may use.
const FEDERATION_DIRECTIVES: [&str; 12] = [
    "@authenticated",
    "@composeDirective",
    "@external",
    "@inaccessible",
    "@interfaceObject",
    "@key",
    "@override",
    "@provides",
    "@requires",
    "@requiresScopes",
    "@shareable",
    "@tag",
];

/// async-graphql defines `@authenticated` as if it were ours, and the directives of GraphQL itself; a subgraph should import the first
/// and leave out the others.
fn publishable(exported: &str) -> String {
    let body = without_directive_definitions(exported);
    let imports = used_directives(&body);
    let mut sdl = String::with_capacity(exported.len());
    for line in body {
        if line.trim_start().starts_with("import: [") {
            line.split_once('[')
                .into_iter()
                .for_each(|(before, _)| sdl.push_str(before));
            sdl.push_str(&format!("[{imports}]\n"));
        } else {
            sdl.push_str(line);
            sdl.push('\n');
        }
    }
    let trimmed = sdl.trim();
    format!("{trimmed}\n")
}

/// The lines of `exported` without definitions of directives and their descriptions.
fn without_directive_definitions(exported: &str) -> Vec<&str> {
    let mut kept: Vec<&str> = Vec::new();
    for line in exported.lines() {
        if !line.starts_with("directive @") {
            kept.push(line);
        } else if kept.last() == Some(&DESCRIPTION_MARK) {
            kept.pop();
            while kept.pop().is_some_and(|line| line != DESCRIPTION_MARK) {}
        }
    }
    kept
}

const DESCRIPTION_MARK: &str = "\"\"\"";

fn used_directives(lines: &[&str]) -> String {
    let words = || lines.iter().flat_map(|line| line.split([' ', '(', '\t']));
    FEDERATION_DIRECTIVES
        .iter()
        .filter(|name| words().any(|word| word == **name))
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use async_graphql::{Object, SimpleObject};
    use expect_test::expect;

    use super::*;

    #[derive(SimpleObject)]
    struct Coat {
        id: async_graphql::ID,
        #[graphql(shareable, directive = authenticated::apply())]
        secret: String,
    }

    struct Query;

    #[Object]
    impl Query {
        #[graphql(entity)]
        async fn coat_by_id(&self, id: async_graphql::ID) -> Option<Coat> {
            Some(Coat {
                id,
                secret: String::new(),
            })
        }

        /// Only for those who may.
        #[graphql(requires_scopes = "a b", requires_scopes = "c", directive = authenticated::apply())]
        async fn mine(&self) -> i32 {
            1
        }

        #[graphql(inaccessible)]
        async fn hidden(&self) -> i32 {
            1
        }
    }

    #[test]
    fn the_published_sdl_imports_what_it_uses() {
        let schema = schema(Query, async_graphql::EmptyMutation).finish();
        expect![[r#"
            type Coat @key(fields: "id") {
              id: ID!
              secret: String! @authenticated @shareable
            }

            type Query {
              """
              Only for those who may.
              """
              mine: Int! @authenticated @requiresScopes(scopes: [["a", "b"], ["c"]])
              hidden: Int! @inaccessible
            }

            extend schema @link(
              url: "https://specs.apollo.dev/federation/v2.5",
              import: ["@authenticated", "@inaccessible", "@key", "@requiresScopes", "@shareable"]
            )
        "#]]
        .assert_eq(&sdl(&schema));
    }
}
