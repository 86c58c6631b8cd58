//! Descriptions: the one most subgraphs give; of equally frequent ones the first.

use apollo_compiler::Node;

use super::Merger;
use crate::diagnostic::Hint;

impl Merger<'_> {
    pub(super) fn merge_description<'d>(
        &mut self,
        descriptions: impl Iterator<Item = Option<&'d Node<str>>>,
        coordinate: &str,
    ) -> Option<Node<str>> {
        let mut counts: Vec<(&Node<str>, usize)> = Vec::new();
        for description in descriptions.flatten() {
            match counts.iter_mut().find(|(text, _)| *text == description) {
                Some((_, count)) => *count += 1,
                None => counts.push((description, 1)),
            }
        }
        if counts.len() > 1 {
            let message = format!(
                "\"{coordinate}\" is described differently by its subgraphs; the most frequent description is kept"
            );
            self.hints.push(Hint {
                code: "INCONSISTENT_DESCRIPTION",
                message,
            });
        }
        let most = counts.iter().map(|(_, count)| *count).max()?;
        counts
            .into_iter()
            .find(|(_, count)| *count == most)
            .map(|(text, _)| text.clone())
    }
}
