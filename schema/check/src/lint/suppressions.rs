//! Comments that allow a breach: `# lint: allow(field-name) reason` on the line or the one before, and
//! `# lint: allow-file(field-name)` anywhere for the whole file. Several rules are separated by commas.

use std::collections::BTreeSet;

use crate::lint::LintRule;

/// What the comments of a file allow.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    lines: BTreeSet<(usize, LintRule)>,
    file: BTreeSet<LintRule>,
}

impl Suppressions {
    pub(crate) fn of(sdl: &str) -> Self {
        let mut found = Self::default();
        for (index, line) in sdl.lines().enumerate() {
            let Some((_, comment)) = line.split_once('#') else {
                continue;
            };
            for rule in rules(comment, "lint: allow(") {
                // The comment's own line and the next.
                found.lines.extend([(index + 1, rule), (index + 2, rule)]);
            }
            found.file.extend(rules(comment, "lint: allow-file("));
        }
        found
    }

    pub(crate) fn cover(&self, line: usize, rule: LintRule) -> bool {
        self.file.contains(&rule) || self.lines.contains(&(line, rule))
    }
}

fn rules(comment: &str, keyword: &str) -> Vec<LintRule> {
    let names = comment
        .split_once(keyword)
        .and_then(|(_, rest)| rest.split_once(')'));
    let names = names.map_or("", |(names, _)| names);
    names
        .split(',')
        .filter_map(|name| LintRule::named(name.trim()))
        .collect()
}
