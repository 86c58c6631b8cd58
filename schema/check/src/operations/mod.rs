//! Operations that clients send: recorded by the router, or committed beside their code.
//!
//! - `usage_log`: what the router recorded; `documents`, `manifest`: what is committed
//! - `facts`: which elements of the schema an operation uses, and how
//! - `values`: what an operation sends

pub mod documents;
mod facts;
mod manifest;
pub mod usage_log;
mod values;

use apollo_compiler::ast::Document;

use crate::place::Place;

pub(crate) use facts::Facts;
use usage_log::Use;

/// One document to be judged.
#[derive(Debug)]
pub struct Operation {
    /// Names of its operations, or `(anonymous)`, for people.
    pub name: String,
    /// The document, with every fragment it needs.
    pub document: Document,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an operation comes from.
#[derive(Debug)]
pub enum Origin {
    /// The router recorded it, for these clients.
    Recorded(Vec<Use>),
    /// It is committed there.
    Committed(Place),
}

/// Why operations cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A document is not GraphQL, or a manifest or log is not what it should be.
    #[error("{path}:{line}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The file is of no known kind.
    #[error("{path}: {message}")]
    Format {
        /// The file.
        path: String,
        /// What would be known.
        message: String,
    },
    /// Two files define one fragment differently.
    #[error("{path}: fragment {name} is also defined in {other}")]
    DuplicateFragment {
        /// The second file.
        path: String,
        /// The fragment.
        name: String,
        /// The first file.
        other: String,
    },
}

/// The text without a byte order mark, which some editors put before it.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The names of a document's operations, joined.
fn operation_names(document: &Document) -> String {
    let names = document.definitions.iter().filter_map(|definition| {
        let operation = definition.as_operation_definition()?;
        Some(
            operation
                .name
                .as_ref()
                .map_or("(anonymous)", |name| name.as_str()),
        )
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Line of the first error of a document that does not parse, with its text.
fn first_error(errors: &apollo_compiler::validation::DiagnosticList) -> (usize, String) {
    let first = errors.iter().next();
    let line = first
        .as_ref()
        .and_then(|error| error.line_column_range())
        .map_or(1, |range| range.start.line);
    (
        line,
        first.map_or_else(
            || "cannot be read".to_owned(),
            // It may quote characters that would act on the terminal.
            |error| error.error.to_string().replace(char::is_control, "\u{fffd}"),
        ),
    )
}

impl Operation {
    /// Names a committed operation's file relative to a folder.
    pub fn relative_to(&mut self, folder: &std::path::Path) {
        if let Origin::Committed(place) = &mut self.origin
            && let Ok(inside) = std::path::Path::new(&place.file).strip_prefix(folder)
        {
            place.file = inside.display().to_string();
        }
    }
}
