//! Committed operations: `.graphql` files, alone or in a folder, and manifests of persisted queries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document, Selection};
use apollo_compiler::parser::Parser;

use crate::operations::{
    Operation, OperationsError, Origin, first_error, manifest, operation_names, without_mark,
};
use crate::place::Place;

/// Reads a file, or every `.graphql` and `.gql` file below a folder. Fragments may stand in other files of the folder.
///
/// # Errors
/// Where a file cannot be read, is not GraphQL, or is a JSON file that is no known manifest.
pub fn read(path: &Path) -> Result<Vec<Operation>, OperationsError> {
    if path.extension().is_some_and(|kind| kind == "json") {
        return manifest::parse(&read_text(path)?, &path.display().to_string());
    }
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, &mut files)?;
        files.sort();
    } else if is_document(path) || !path.exists() {
        files.push(path.to_owned());
    } else {
        return Err(OperationsError::Format {
            path: path.display().to_string(),
            message: "operations are read from folders, .graphql, .gql and .json files".to_owned(),
        });
    }
    let mut documents = Vec::new();
    for file in &files {
        documents.extend(parse_file(file)?);
    }
    let fragments = Fragments::of(&documents)?;
    let with_operations = documents.iter().filter(|(_, document)| has_operation(document));
    Ok(with_operations
        .map(|(path, document)| fragments.complete(path, document))
        .collect())
}

fn is_document(path: &Path) -> bool {
    path.extension()
        .is_some_and(|kind| kind == "graphql" || kind == "gql")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), OperationsError> {
    let failed = |source| OperationsError::Read {
        path: folder.display().to_string(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        // Links are not followed: they may lead around in a circle.
        if entry.file_type().map_err(failed)?.is_dir() {
            collect(&path, files)?;
        } else if is_document(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String, OperationsError> {
    std::fs::read_to_string(path).map_err(|source| OperationsError::Read {
        path: path.display().to_string(),
        source,
    })
}

/// The file's document; none where it holds nothing but comments.
fn parse_file(path: &Path) -> Result<Option<(String, Document)>, OperationsError> {
    let text = read_text(path)?;
    let path = path.display().to_string();
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if without_mark(&text).lines().all(is_blank) {
        return Ok(None);
    }
    let document = Parser::new().parse_ast(text, &path).map_err(|failed| {
        let (line, message) = first_error(&failed.errors);
        OperationsError::Syntax {
            path: path.clone(),
            line,
            message,
        }
    })?;
    Ok(Some((path, document)))
}

fn has_operation(document: &Document) -> bool {
    document
        .definitions
        .iter()
        .any(|definition| definition.as_operation_definition().is_some())
}

/// The fragments of all files.
struct Fragments<'a> {
    by_name: BTreeMap<Name, (&'a str, &'a Document, &'a Definition)>,
}

impl<'a> Fragments<'a> {
    fn of(documents: &'a [(String, Document)]) -> Result<Self, OperationsError> {
        let mut by_name: BTreeMap<Name, (&str, &Document, &Definition)> = BTreeMap::new();
        for (path, document) in documents {
            for definition in &document.definitions {
                let Some(fragment) = definition.as_fragment_definition() else {
                    continue;
                };
                if let Some((other, _, known)) = by_name.get(&fragment.name)
                    && *known != definition
                {
                    return Err(OperationsError::DuplicateFragment {
                        path: path.clone(),
                        name: fragment.name.to_string(),
                        other: (*other).to_owned(),
                    });
                }
                by_name.insert(fragment.name.clone(), (path, document, definition));
            }
        }
        Ok(Self { by_name })
    }

    /// The document's operations with the fragments they need, and only these.
    fn complete(&self, path: &str, document: &Document) -> Operation {
        let mut complete = document.clone();
        complete
            .definitions
            .retain(|definition| definition.as_operation_definition().is_some());
        let mut wanted: Vec<Name> = complete.definitions.iter().flat_map(spreads).collect();
        let mut known = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            let Some((_, home, definition)) = self.by_name.get(&name).filter(|_| known.insert(name)) else {
                continue;
            };
            wanted.extend(spreads(definition));
            complete.definitions.push((*definition).clone());
            let sources = Arc::make_mut(&mut complete.sources);
            sources.extend(home.sources.iter().map(|(id, file)| (*id, Arc::clone(file))));
        }
        let first = complete.definitions.first().and_then(Definition::location);
        let start = first.and_then(|span| span.line_column(&complete.sources));
        let place = Place {
            file: path.to_owned(),
            line: start.as_ref().map_or(1, |start| start.line),
            column: start.map_or(1, |start| start.column),
        };
        Operation {
            name: operation_names(&complete),
            document: complete,
            origin: Origin::Committed(place),
        }
    }
}

fn spreads(definition: &Definition) -> Vec<Name> {
    let mut names = Vec::new();
    match definition {
        Definition::OperationDefinition(operation) => collect_spreads(&operation.selection_set, &mut names),
        Definition::FragmentDefinition(fragment) => collect_spreads(&fragment.selection_set, &mut names),
        _ => {}
    }
    names
}

fn collect_spreads(selections: &[Selection], names: &mut Vec<Name>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => collect_spreads(&field.selection_set, names),
            Selection::InlineFragment(fragment) => collect_spreads(&fragment.selection_set, names),
            Selection::FragmentSpread(spread) => names.push(spread.fragment_name.clone()),
        }
    }
}
