//! Reports, one file a format. The same findings give the same bytes.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use std::path::PathBuf;

use crate::excerpt::Sources;
use crate::finding::Report;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Workflow commands, which become annotations of a pull request.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
}

/// What the text format needs to show lines of the files.
#[derive(Debug, Default)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
    /// Whether to list safe changes too.
    pub all: bool,
    /// The folder that relative files are in, where it is not the current one.
    pub folder: Option<PathBuf>,
}

impl Report {
    /// The report in that format, ending with a line break.
    pub fn write(&self, format: Format, style: &Style) -> String {
        match format {
            Format::Text => text::write(self, style, &mut Sources::new(style.folder.clone())),
            Format::Json => json::write(self),
            Format::Github => github::write(self),
            Format::Sarif => sarif::write(self),
            Format::Junit => junit::write(self),
        }
    }
}
