//! The line of a file that a finding is about, with a mark under the place.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::place::Place;

/// Lines longer than this are cut around the place, in characters: schemas may be on one line.
const WIDEST: usize = 120;

/// Files already read.
#[derive(Debug)]
pub struct Sources {
    folder: Option<PathBuf>,
    /// Their lines; empty where one cannot be read.
    files: HashMap<String, Vec<String>>,
}

impl Sources {
    /// Reads files as they are asked for, relative ones from `folder`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            files: HashMap::new(),
        }
    }

    /// Two lines: the place's, and the mark. Empty where the file cannot be read any more.
    pub fn excerpt(&mut self, place: &Place, colour: bool) -> String {
        let folder = self.folder.clone();
        let lines = self.files.entry(place.file.clone()).or_insert_with(|| {
            let path = folder.map_or_else(|| PathBuf::from(&place.file), |folder| folder.join(&place.file));
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        });
        let line = lines.get(place.line.saturating_sub(1));
        let Some(line) = line.filter(|line| !line.trim().is_empty()) else {
            return String::new();
        };
        let number = place.line.to_string();
        let indent = " ".repeat(number.len());
        let column = place.column.saturating_sub(1);
        let start = column.saturating_sub(WIDEST / 2);
        let line: String = line.chars().skip(start).take(WIDEST).map(shown).collect();
        let before: String = line.chars().take(column - start).map(blank).collect();
        let rest = line.chars().skip(column - start);
        let width = rest
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '@'))
            .count()
            .max(1);
        let mark = paint(&"^".repeat(width), RED, colour);
        let bar = paint("|", BLUE, colour);
        format!(
            "  {} {bar} {line}\n  {indent} {bar} {before}{mark}\n",
            paint(&number, BLUE, colour)
        )
    }
}

/// Other control characters would act on the terminal.
fn shown(c: char) -> char {
    if c.is_control() && c != '\t' {
        '\u{fffd}'
    } else {
        c
    }
}

/// Tabs stay tabs, so that the mark stands right.
fn blank(c: char) -> char {
    if c == '\t' { '\t' } else { ' ' }
}

pub(crate) const RED: &str = "31;1";
pub(crate) const YELLOW: &str = "33;1";
pub(crate) const GREEN: &str = "32";
pub(crate) const BLUE: &str = "34";

/// The text in a colour of the terminal.
pub(crate) fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
