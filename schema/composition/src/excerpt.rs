//! The line of SDL a diagnostic is about, for people to look at.

use std::fmt::Write as _;

use crate::SubgraphSource;
use crate::diagnostic::{Diagnostic, Hint};

/// Lines longer than this are cut around the place of interest.
const WIDEST: usize = 120;

impl Diagnostic {
    /// The diagnostic with the source line it points at, marked below; `sources` are those that were composed.
    pub fn with_excerpt(&self, sources: &[SubgraphSource]) -> String {
        let place = self.line.zip(self.column);
        format!("{self}{}", excerpt(sources, self.subgraph.as_deref(), place))
    }
}

impl Hint {
    /// The hint with the source line it points at, marked below; `sources` are those that were composed.
    pub fn with_excerpt(&self, sources: &[SubgraphSource]) -> String {
        let place = self.line.zip(self.column);
        format!("{self}{}", excerpt(sources, self.subgraph.as_deref(), place))
    }
}

fn excerpt(sources: &[SubgraphSource], subgraph: Option<&str>, place: Option<(usize, usize)>) -> String {
    let source = sources
        .iter()
        .find(|source| Some(source.name.as_str()) == subgraph);
    let (Some(source), Some((line, column))) = (source, place) else {
        return String::new();
    };
    let Some(text) = source.sdl.lines().nth(line.saturating_sub(1)) else {
        return String::new();
    };
    let column = column.saturating_sub(1);
    // A column counts characters; a tab takes as much room above the mark as above the text.
    let start = column.saturating_sub(WIDEST / 2);
    let shown: String = text.chars().skip(start).take(WIDEST).collect();
    let before: String = shown
        .chars()
        .take(column - start)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let mut excerpt = String::new();
    let _ = write!(excerpt, "\n{number} | {}\n{margin} | {before}^", shown.trim_end());
    excerpt
}

#[cfg(test)]
mod tests {
    use super::excerpt;
    use crate::SubgraphSource;

    fn check(sdl: &str, place: (usize, usize), expected: &str) {
        let source = SubgraphSource {
            name: "a".to_owned(),
            url: String::new(),
            sdl: sdl.to_owned(),
            file: None,
        };
        assert_eq!(excerpt(&[source], Some("a"), Some(place)), expected);
    }

    #[test]
    fn marks_the_place() {
        check(
            "type Query {\n  x: Nope\n}",
            (2, 6),
            "\n2 |   x: Nope\n  |      ^",
        );
        check("a\r\n\tb", (2, 2), "\n2 | \tb\n  | \t^");
    }

    #[test]
    fn says_nothing_where_there_is_no_such_line() {
        check("type Query { x: Int }", (7, 1), "");
    }

    #[test]
    fn cuts_long_lines() {
        let sdl = format!("{}!{}", "ä".repeat(500), "b".repeat(500));
        let expected = format!(
            "\n1 | {}!{}\n  | {}^",
            "ä".repeat(60),
            "b".repeat(59),
            " ".repeat(60)
        );
        check(&sdl, (1, 501), &expected);
    }
}
