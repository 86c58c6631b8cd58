//! Ingest: one subgraph's SDL becomes a [`Subgraph`], completed with the federation definitions it may leave out.

use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{Name, Schema};

use crate::SubgraphSource;
use crate::code::Code;
use crate::definitions::{check_directive_definition, check_type_definition};
use crate::diagnostic::{Diagnostic, Origin};
use crate::federation_spec::{NEWEST, Vocabulary, federation_link};
use crate::link::{LINK, Link, read_links};
use crate::link_conflicts::check_links;
use crate::model::Subgraph;
use crate::read_schema::{Reader, federation_names};

/// Reads, completes and validates the SDL as GraphQL.
pub(crate) fn ingest(source: &SubgraphSource) -> Result<Subgraph, Vec<Diagnostic>> {
    let path = source.file.as_deref().unwrap_or(&source.name);
    let mut document = Parser::new()
        .parse_ast(source.sdl.as_str(), path)
        .map_err(|failed| graphql_errors(source, &failed.errors))?;
    let sources = document.sources.clone();
    let origin = Origin {
        subgraph: &source.name,
        file: source.file.as_deref(),
        sources: &sources,
    };
    let mut errors = Vec::new();

    check_name(source, origin, &mut errors);
    let links = read_links(&document, origin, &mut errors);
    check_links(&links, origin, &mut errors);
    let (version, vocabulary) = vocabulary(&links, origin, &mut errors);
    replace_federation_definitions(&mut document, &vocabulary, origin, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let schema = build_schema(&document, &links, &vocabulary, source)?;
    let reader = Reader::new(&schema, &vocabulary, origin);
    let types = reader.types(&mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Subgraph {
        name: source.name.clone(),
        url: source.url.clone(),
        file: source.file.clone(),
        graph: Name::new_unchecked("_"),
        federation1: version == (1, 0),
        version,
        links,
        local_names: vocabulary.local_names(),
        schema: reader.schema_def(),
        types,
        directive_definitions: reader.directive_definitions(),
        sources: schema.sources.clone(),
    })
}

fn check_name(source: &SubgraphSource, origin: Origin<'_>, errors: &mut Vec<Diagnostic>) {
    if source.name.is_empty() || source.name == "_" {
        let message = format!("\"{}\" cannot be the name of a subgraph", source.name);
        errors.push(origin.error(Code::InvalidSubgraphName, None, message));
    }
}

/// Another subgraph is called the same.
pub(crate) fn repeated_name(source: &SubgraphSource) -> Diagnostic {
    Diagnostic {
        code: Code::InvalidSubgraphName,
        message: format!("two subgraphs are called \"{}\"", source.name),
        subgraph: Some(source.name.clone()),
        file: source.file.clone(),
        line: Some(1),
        column: Some(1),
    }
}

/// Chooses the federation version and what it brings.
fn vocabulary(links: &[Link], origin: Origin<'_>, errors: &mut Vec<Diagnostic>) -> ((u32, u32), Vocabulary) {
    let Some(link) = federation_link(links) else {
        return ((1, 0), Vocabulary::federation1());
    };
    let version = link.version.unwrap_or(NEWEST);
    if version.0 != 2 || version > NEWEST {
        let message = format!(
            "federation v{}.{} is unknown; the newest known is v2.{}",
            version.0, version.1, NEWEST.1
        );
        errors.push(origin.error(Code::UnknownFederationLinkVersion, link.span, message));
    }
    let vocabulary = Vocabulary::federation2(link, version, links);
    for import in &link.imports {
        if !federation_names(version).any(|known| known == import.name) {
            let message = format!(
                "federation v{}.{} has no \"{}\" to import",
                version.0, version.1, import.name
            );
            errors.push(origin.error(Code::InvalidLinkDirectiveUsage, link.span, message));
        }
    }
    (version, vocabulary)
}

/// Takes the subgraph's own copies of federation definitions out, so that the specification's take their place.
fn replace_federation_definitions(
    document: &mut Document,
    vocabulary: &Vocabulary,
    origin: Origin<'_>,
    errors: &mut Vec<Diagnostic>,
) {
    document.definitions.retain(|definition| {
        let Some(name) = definition.name() else {
            return true;
        };
        if let Definition::DirectiveDefinition(directive) = definition {
            if let Some(spec) = vocabulary.directive(name) {
                errors.extend(check_directive_definition(directive, spec, vocabulary, origin));
                return false;
            }
            return name != "link";
        }
        let specified = is_federation_type(name, vocabulary);
        if specified {
            errors.extend(check_type_definition(definition, vocabulary, origin));
        }
        !specified
    });
}

/// Types that belong to federation's machinery rather than to the subgraph.
pub(crate) fn is_federation_type(name: &str, vocabulary: &Vocabulary) -> bool {
    matches!(
        name,
        "_Any" | "_Entity" | "_Service" | "_FieldSet" | "link__Import" | "link__Purpose"
    ) || vocabulary.types.iter().any(|known| known == name)
}

fn build_schema(
    document: &Document,
    links: &[Link],
    vocabulary: &Vocabulary,
    source: &SubgraphSource,
) -> Result<Schema, Vec<Diagnostic>> {
    let builder = Schema::builder()
        .adopt_orphan_extensions()
        .ignore_builtin_redefinitions();
    let built = builder
        .add_ast(document)
        .parse(completion(links, vocabulary), "federation.graphql")
        .build();
    let schema = built.map_err(|failed| graphql_errors(source, &failed.errors))?;
    match schema.clone().validate() {
        Ok(_) => Ok(schema),
        Err(failed) => {
            let errors = graphql_errors(source, &failed.errors);
            if errors.is_empty() {
                Ok(schema)
            } else {
                Err(errors)
            }
        }
    }
}

/// The definitions a subgraph may leave out. `_Entity` is a union in the specification; here, where it is only
/// needed so that fields the subgraph prints of it resolve, a scalar does.
fn completion(links: &[Link], vocabulary: &Vocabulary) -> String {
    let mut sdl = String::from("scalar _Any scalar _Entity type _Service { sdl: String }\n");
    let link = links
        .iter()
        .find(|link| link.identity == LINK)
        .map_or("link", |link| link.alias.as_deref().unwrap_or("link"));
    sdl += &format!(
        "directive @{link}(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA\n"
    );
    sdl += "scalar link__Import enum link__Purpose { SECURITY EXECUTION }\n";
    for scalar in &vocabulary.types {
        sdl += &format!("scalar {scalar}\n");
    }
    for available in &vocabulary.directives {
        sdl += &available
            .spec
            .sdl(&available.local, |name| vocabulary.type_name(name));
    }
    sdl
}

/// Everything the GraphQL parser or validator found, except that a subgraph needs no query.
fn graphql_errors(source: &SubgraphSource, found: &DiagnosticList) -> Vec<Diagnostic> {
    found
        .iter()
        .filter(|diagnostic| diagnostic.error.unstable_error_name() != Some("QueryRootOperationType"))
        .map(|diagnostic| {
            let position = diagnostic.line_column_range().map(|range| range.start);
            Diagnostic {
                code: Code::InvalidGraphql,
                message: diagnostic.error.to_string(),
                subgraph: Some(source.name.clone()),
                file: source.file.clone(),
                line: position.map(|position| position.line),
                column: position.map(|position| position.column),
            }
        })
        .collect()
}
