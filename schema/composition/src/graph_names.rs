//! Names of the values of `join__Graph`: upper-case, letters, digits and underscores only, all different.

use std::collections::BTreeSet;

use apollo_compiler::Name;

/// One name a subgraph, in the same order. Equal ones get `_1`, `_2`, …
pub(crate) fn graph_names(subgraphs: &[&str]) -> Vec<Name> {
    let plain: Vec<String> = subgraphs.iter().map(|name| sanitized(name)).collect();
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for name in &plain {
        let repeated = plain.iter().filter(|other| *other == name).count() > 1;
        let mut candidate = name.clone();
        let mut suffix = 0;
        while (repeated && suffix == 0) || taken.contains(&candidate) {
            suffix += 1;
            candidate = format!("{name}_{suffix}");
        }
        taken.insert(candidate.clone());
        names.push(Name::new_unchecked(&candidate));
    }
    names
}

fn sanitized(name: &str) -> String {
    let mut sanitized: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if sanitized.starts_with(|c: char| c.is_ascii_digit()) {
        sanitized.insert(0, '_');
    }
    // A name ending in _1 could otherwise meet one made unique by a suffix.
    let digits = sanitized.bytes().rev().take_while(u8::is_ascii_digit).count();
    if digits > 0 && sanitized[..sanitized.len() - digits].ends_with('_') {
        sanitized.push('_');
    }
    sanitized
}

#[cfg(test)]
mod tests {
    use super::graph_names;

    #[test]
    fn names_are_upper_case_and_different() {
        let names = graph_names(&["serviceA", "service-a", "service_a", "42", "foo_1"]);
        assert_eq!(
            names,
            ["SERVICEA", "SERVICE_A_1", "SERVICE_A_2", "_42_", "FOO_1_"]
                .map(apollo_compiler::Name::new_unchecked)
        );
    }
}
