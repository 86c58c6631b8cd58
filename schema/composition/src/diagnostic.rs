//! Composition diagnostics: what was found, and where in which subgraph.

use std::fmt;

use apollo_compiler::parser::{SourceMap, SourceSpan};

use crate::code::{Code, HintCode};

/// One composition error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The published code.
    pub code: Code,
    /// What is wrong, in words.
    pub message: String,
    /// The subgraph it was found in; absent where only the whole graph is wrong.
    pub subgraph: Option<String>,
    /// The file of that subgraph, as given by the caller.
    pub file: Option<String>,
    /// Line in the subgraph's SDL, from 1.
    pub line: Option<usize>,
    /// Column in the subgraph's SDL, from 1.
    pub column: Option<usize>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        write_place(
            f,
            self.subgraph.as_deref(),
            self.file.as_deref(),
            self.line.zip(self.column),
        )?;
        write!(f, ": {}", self.message)
    }
}

/// Something worth knowing about a graph that composes: never fatal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The published code.
    pub code: HintCode,
    /// What was found and what the supergraph will hold.
    pub message: String,
    /// The subgraph it was found in; absent where only the whole graph shows it.
    pub subgraph: Option<String>,
    /// The file of that subgraph, as given by the caller.
    pub file: Option<String>,
    /// Line in the subgraph's SDL, from 1.
    pub line: Option<usize>,
    /// Column in the subgraph's SDL, from 1.
    pub column: Option<usize>,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        write_place(
            f,
            self.subgraph.as_deref(),
            self.file.as_deref(),
            self.line.zip(self.column),
        )?;
        write!(f, ": {}", self.message)
    }
}

fn write_place(
    f: &mut fmt::Formatter<'_>,
    subgraph: Option<&str>,
    file: Option<&str>,
    position: Option<(usize, usize)>,
) -> fmt::Result {
    let Some(subgraph) = subgraph else {
        return Ok(());
    };
    write!(f, " [{subgraph}")?;
    if let Some(file) = file.filter(|file| *file != subgraph) {
        write!(f, " {file}")?;
    }
    if let Some((line, column)) = position {
        write!(f, " {line}:{column}")?;
    }
    f.write_str("]")
}

/// Where a diagnostic of one subgraph gets its file, line and column from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) subgraph: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) sources: &'a SourceMap,
}

impl Origin<'_> {
    /// An error of this subgraph at `span`.
    pub(crate) fn error(
        &self,
        code: Code,
        span: Option<SourceSpan>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let (line, column) = self.position(span).unzip();
        Diagnostic {
            code,
            message: message.into(),
            subgraph: Some(self.subgraph.to_owned()),
            file: self.file.map(str::to_owned),
            line,
            column,
        }
    }

    /// A hint about this subgraph at `span`.
    pub(crate) fn hint(&self, code: HintCode, span: Option<SourceSpan>, message: impl Into<String>) -> Hint {
        let (line, column) = self.position(span).unzip();
        Hint {
            code,
            message: message.into(),
            subgraph: Some(self.subgraph.to_owned()),
            file: self.file.map(str::to_owned),
            line,
            column,
        }
    }

    /// Line and column; the schema's beginning stands for what the subgraph did not write down.
    fn position(&self, span: Option<SourceSpan>) -> Option<(usize, usize)> {
        let found = span.and_then(|span| span.line_column(self.sources));
        found.map_or(Some((1, 1)), |position| Some((position.line, position.column)))
    }
}

/// A diagnostic about no subgraph at all.
pub(crate) fn graph_error(code: Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        code,
        message: message.into(),
        subgraph: None,
        file: None,
        line: None,
        column: None,
    }
}
