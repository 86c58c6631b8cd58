//! Descriptions: the one most subgraphs give; of equally frequent ones the first.

use apollo_compiler::Node;

use super::{Merger, Source};
use crate::code::HintCode;
use crate::model::Element;

impl Merger<'_> {
    pub(super) fn merge_description<T: Element>(
        &mut self,
        sources: &[Source<'_, T>],
        coordinate: &str,
    ) -> Option<Node<str>> {
        let mut counts: Vec<(Source<'_, T>, &Node<str>, usize)> = Vec::new();
        for &(index, element) in sources {
            let Some(text) = element.description() else {
                continue;
            };
            match counts.iter_mut().find(|(_, known, _)| *known == text) {
                Some((_, _, count)) => *count += 1,
                None => counts.push(((index, element), text, 1)),
            }
        }
        let most = counts.iter().map(|(_, _, count)| *count).max()?;
        let kept = counts.iter().find(|(_, _, count)| *count == most)?;
        if let Some((other, _, _)) = counts.iter().find(|(_, text, _)| *text != kept.1) {
            let message = format!(
                "\"{coordinate}\" is described differently by its subgraphs; the description of {} is kept",
                self.names([kept.0.0])
            );
            self.hint(HintCode::InconsistentDescription, *other, message);
        }
        Some(kept.1.clone())
    }
}
