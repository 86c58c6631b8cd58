//! Links of one schema must not get in each other's way: one link a specification, one meaning a name.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Origin};
use crate::link::{Import, LINK, Link};

/// The versions of the link specification (and of its predecessor `core`) that are known.
const KNOWN_LINK_VERSIONS: [(u32, u32); 1] = [(1, 0)];

/// Checks all links of a schema together.
pub(crate) fn check_links(links: &[Link], origin: Origin<'_>, errors: &mut Vec<Diagnostic>) {
    let mut problems: Vec<(Code, &Link, String)> = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let usage = |message: String| (Code::InvalidLinkDirectiveUsage, link, message);
        if link.identity == LINK
            && !link
                .version
                .is_some_and(|version| KNOWN_LINK_VERSIONS.contains(&version))
        {
            let message = format!("\"{}\" is no known version of @link; v1.0 is", link.url);
            problems.push((Code::UnknownLinkVersion, link, message));
        }
        if let Some(problem) = alias_problem(link) {
            problems.push(usage(problem));
        }
        for other in &links[..index] {
            if other.identity == link.identity {
                problems.push(usage(format!(
                    "\"{}\" is linked twice in the schema",
                    link.identity
                )));
            } else if other.prefix() == link.prefix() {
                problems.push(usage(format!(
                    "both \"{}\" and \"{}\" are called \"{}\"; rename one with \"as\"",
                    other.identity,
                    link.identity,
                    link.prefix()
                )));
            }
        }
        problems.extend(link.imports.iter().filter_map(|import| {
            let problem = import_problem(import, link, links)?;
            Some(usage(problem))
        }));
    }
    repeated_imports(links, &mut problems);
    errors.extend(
        problems
            .into_iter()
            .map(|(code, link, message)| origin.error(code, link.span, message)),
    );
}

/// The name of a link is a prefix of names, set off by two underscores.
fn alias_problem(link: &Link) -> Option<String> {
    let alias = link.prefix();
    // Supergraphs of old composers have these two, which define nothing that would be prefixed.
    let tolerated =
        matches!(alias, "federation__tag" | "federation__inaccessible") && link.imports.is_empty();
    let name = alias.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && alias
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let problem = if alias.contains("__") && !tolerated {
        "contains \"__\""
    } else if alias.ends_with('_') {
        "ends in \"_\""
    } else if !name {
        "is no name"
    } else {
        return None;
    };
    Some(format!(
        "\"{}\" cannot be called \"{alias}\", which {problem}; rename it with \"as\"",
        link.identity
    ))
}

/// A name that looks like one of another link would be mistaken for it.
fn import_problem(import: &Import, link: &Link, links: &[Link]) -> Option<String> {
    let (local, element) = (import.local(), import.name.as_str());
    let is_directive = element.starts_with('@');
    let bare = local.trim_start_matches('@');
    let mistaken = |other: &str| {
        Some(format!(
            "import \"{element}\" as \"{local}\" of \"{}\" would be taken for a name of {other}",
            link.identity
        ))
    };
    if let Some((prefix, rest)) = bare.split_once("__") {
        if prefix == link.prefix() && rest != element.trim_start_matches('@') {
            return mistaken("the same link");
        }
        if let Some(other) = links
            .iter()
            .find(|other| other.prefix() == prefix && other.identity != link.identity)
        {
            return mistaken(&format!("\"{}\"", other.identity));
        }
    }
    if !is_directive {
        return None;
    }
    if bare == link.prefix() && element.trim_start_matches('@') != link.name {
        return mistaken("the same link");
    }
    let other = links
        .iter()
        .find(|other| other.prefix() == bare && other.identity != link.identity)?;
    mistaken(&format!("\"{}\"", other.identity))
}

/// One element must have one name, and one name mean one element.
fn repeated_imports<'a>(links: &'a [Link], problems: &mut Vec<(Code, &'a Link, String)>) {
    let mut by_local: BTreeMap<&str, (&Link, &Import)> = BTreeMap::new();
    for link in links {
        let mut by_element: BTreeMap<&str, &Import> = BTreeMap::new();
        for import in &link.imports {
            let first = *by_element.entry(&import.name).or_insert(import);
            if first.local() != import.local() {
                let message = format!(
                    "\"{}\" is imported both as \"{}\" and as \"{}\"",
                    import.name,
                    first.local(),
                    import.local()
                );
                problems.push((Code::InvalidLinkDirectiveUsage, link, message));
            }
            let (other, known) = *by_local.entry(import.local()).or_insert((link, import));
            if other.identity != link.identity || known.name != import.name {
                let message = format!(
                    "\"{}\" is imported as \"{}\" of \"{}\" and as \"{}\" of \"{}\"",
                    import.local(),
                    known.name,
                    other.identity,
                    import.name,
                    link.identity
                );
                problems.push((Code::InvalidLinkDirectiveUsage, link, message));
            }
        }
    }
}
