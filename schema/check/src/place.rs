//! Where an element stands in the subgraphs' own files.

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::parser::{Parser, SourceSpan};
use fondaco_composition::SubgraphSource;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::coordinate::Coordinate;
use crate::definition::{argument_of, definition_name, member_of};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as the configuration names it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// The subgraphs' documents, indexed by what they define.
#[derive(Debug, Default)]
pub struct Places {
    subgraphs: Vec<SubgraphDocument>,
}

/// One subgraph's document.
#[derive(Debug)]
pub struct SubgraphDocument {
    /// The subgraph's name.
    pub name: String,
    /// Its file, or its name where there is none.
    pub file: String,
    /// The definitions.
    pub document: Document,
    by_name: FxHashMap<Name, Vec<usize>>,
    directives: FxHashMap<Name, usize>,
}

impl Places {
    /// Reads the documents. They have been composed already: what does not parse is left out.
    pub fn of(sources: &[SubgraphSource]) -> Self {
        let mut subgraphs: Vec<SubgraphDocument> =
            sources.iter().filter_map(SubgraphDocument::parse).collect();
        subgraphs.sort_by(|a, b| a.name.cmp(&b.name));
        Self { subgraphs }
    }

    /// The documents, sorted by subgraph.
    pub fn subgraphs(&self) -> &[SubgraphDocument] {
        &self.subgraphs
    }

    /// The place to show for a change: where the element is new or different, else where it was, one level up.
    pub fn of_change(
        before: &Self,
        after: &Self,
        coordinate: &Coordinate,
        subgraph: Option<&str>,
    ) -> Option<Place> {
        let wanted = |document: &&SubgraphDocument| subgraph.is_none_or(|name| name == document.name);
        let documents: Vec<&SubgraphDocument> = after.subgraphs.iter().filter(wanted).collect();
        let changed = documents.iter().find(|document| {
            let old = before
                .document(&document.name)
                .and_then(|old| old.text(coordinate));
            document.text(coordinate).is_some() && document.text(coordinate) != old
        });
        let removed = || {
            documents.iter().find(|document| {
                let old = before.document(&document.name);
                old.is_some_and(|old| old.text(coordinate).is_some()) && document.text(coordinate).is_none()
            })
        };
        let defined = || {
            documents
                .iter()
                .find(|document| document.text(coordinate).is_some())
        };
        if let Some(document) = changed.or_else(removed).or_else(defined) {
            return Some(document.nearest(coordinate));
        }
        let gone = before
            .subgraphs
            .iter()
            .filter(wanted)
            .find(|document| document.text(coordinate).is_some());
        gone.map(|document| document.nearest(coordinate))
    }

    fn document(&self, name: &str) -> Option<&SubgraphDocument> {
        self.subgraphs.iter().find(|document| document.name == name)
    }
}

impl SubgraphDocument {
    fn parse(source: &SubgraphSource) -> Option<Self> {
        let file = source.file.clone().unwrap_or_else(|| source.name.clone());
        let document = Parser::new().parse_ast(source.sdl.as_str(), &file).ok()?;
        let mut by_name: FxHashMap<Name, Vec<usize>> = FxHashMap::default();
        let mut directives = FxHashMap::default();
        for (index, definition) in document.definitions.iter().enumerate() {
            match definition {
                Definition::DirectiveDefinition(directive) => {
                    directives.insert(directive.name.clone(), index);
                }
                other => {
                    if let Some(name) = definition_name(other) {
                        by_name.entry(name.clone()).or_default().push(index);
                    }
                }
            }
        }
        Some(Self {
            name: source.name.clone(),
            file,
            document,
            by_name,
            directives,
        })
    }

    /// Line and column of a span.
    pub fn place(&self, span: Option<SourceSpan>) -> Place {
        let start = span.and_then(|span| span.line_column(&self.document.sources));
        Place {
            file: self.file.clone(),
            line: start.map_or(1, |start| start.line),
            column: start.map_or(1, |start| start.column),
        }
    }

    /// The element's place, or that of the nearest thing around it that this document has.
    fn nearest(&self, coordinate: &Coordinate) -> Place {
        let mut coordinate = coordinate.clone();
        loop {
            if let Some((span, _)) = self.element(&coordinate) {
                return self.place(span);
            }
            if coordinate == Coordinate::Graph {
                return self.place(None);
            }
            coordinate = coordinate.parent();
        }
    }

    fn text(&self, coordinate: &Coordinate) -> Option<String> {
        self.element(coordinate).map(|(_, text)| text)
    }

    /// Span and text of the element in this document; of a type declared in several parts, the first's span.
    fn element(&self, coordinate: &Coordinate) -> Option<(Option<SourceSpan>, String)> {
        match coordinate {
            Coordinate::Graph => None,
            Coordinate::Subgraph(name) => (*name == self.name).then(|| (None, String::new())),
            Coordinate::Type(ty) => {
                let parts: Vec<&Definition> = self.definitions(ty).collect();
                let text: Vec<String> = parts.iter().map(ToString::to_string).collect();
                Some((parts.first()?.location(), text.concat()))
            }
            Coordinate::Member(ty, member) => self
                .definitions(ty)
                .find_map(|definition| member_of(definition, member)),
            Coordinate::Argument(ty, field, argument) => self
                .definitions(ty)
                .find_map(|definition| argument_of(definition, field, argument)),
            Coordinate::Directive(name) => {
                let definition = &self.document.definitions[*self.directives.get(name)?];
                Some((definition.location(), definition.to_string()))
            }
            Coordinate::DirectiveArgument(name, argument) => {
                let Definition::DirectiveDefinition(directive) =
                    &self.document.definitions[*self.directives.get(name)?]
                else {
                    return None;
                };
                let argument = directive.argument_by_name(argument)?;
                Some((argument.location(), argument.to_string()))
            }
        }
    }

    fn definitions(&self, ty: &Name) -> impl Iterator<Item = &Definition> {
        let indices = self.by_name.get(ty).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|index| &self.document.definitions[*index])
    }
}
