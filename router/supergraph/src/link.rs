//! Which specifications a document imports through `@link` or `@core`, and the names its elements have here.

use apollo_compiler::Schema;
use apollo_compiler::ast::Value;
use apollo_compiler::schema::Directive;

/// One imported specification.
#[derive(Debug, Clone)]
struct Feature {
    /// Name by which the specification calls itself: `join`, `authenticated`.
    identity: String,
    /// Prefix its elements have in this document.
    prefix: String,
    /// Elements imported without the prefix: name in the specification, name here. Directives carry their `@`.
    imports: Vec<(String, String)>,
}

/// All imported specifications.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    features: Vec<Feature>,
}

impl Links {
    pub(crate) fn of(schema: &Schema) -> Links {
        let directives = &schema.schema_definition.directives;
        let features = directives
            .iter()
            .filter_map(|directive| read(directive))
            .collect();
        Links { features }
    }

    /// Prefix of the join specification's elements, usually `join`.
    pub(crate) fn join_prefix(&self) -> Option<String> {
        self.features
            .iter()
            .find(|feature| feature.identity == "join")
            .map(|feature| feature.prefix.clone())
    }

    /// Name here of a directive that specification `identity` defines, without the `@`.
    ///
    /// Documents that use a well-known directive without linking it are believed: the name itself is returned.
    pub(crate) fn directive(&self, identity: &str, name: &str) -> String {
        let at_name = format!("@{name}");
        for feature in &self.features {
            if feature.identity != identity && feature.identity != "federation" {
                continue;
            }
            if let Some((_, local)) = feature.imports.iter().find(|(imported, _)| *imported == at_name) {
                return local.trim_start_matches('@').to_owned();
            }
            if feature.identity == name {
                return feature.prefix.clone();
            }
            if feature.identity == identity {
                return format!("{}__{name}", feature.prefix);
            }
        }
        name.to_owned()
    }

    /// Whether a type or directive (without `@`) belongs to an imported specification.
    pub(crate) fn owns(&self, name: &str, is_directive: bool) -> bool {
        self.features.iter().any(|feature| {
            let prefixed = name
                .strip_prefix(&feature.prefix)
                .is_some_and(|rest| rest.starts_with("__"));
            let is_main_directive = is_directive && name == feature.prefix;
            let imported = feature
                .imports
                .iter()
                .any(|(_, local)| match local.strip_prefix('@') {
                    Some(local) => is_directive && local == name,
                    None => !is_directive && local == name,
                });
            prefixed || is_main_directive || imported
        })
    }
}

fn read(directive: &Directive) -> Option<Feature> {
    let url = directive
        .specified_argument_by_name("url")
        .or_else(|| directive.specified_argument_by_name("feature"))
        .and_then(|value| value.as_str())?;
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let last = parts.next()?;
    let identity = if is_version(last) { parts.next()? } else { last };
    let prefix = directive
        .specified_argument_by_name("as")
        .and_then(|value| value.as_str())
        .unwrap_or(identity);
    let imports = directive
        .specified_argument_by_name("import")
        .and_then(|value| value.as_list())
        .unwrap_or(&[]);
    Some(Feature {
        identity: identity.to_owned(),
        prefix: prefix.to_owned(),
        imports: imports.iter().filter_map(|import| read_import(import)).collect(),
    })
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn read_import(value: &Value) -> Option<(String, String)> {
    if let Some(name) = value.as_str() {
        return Some((name.to_owned(), name.to_owned()));
    }
    let object = value.as_object()?;
    let get = |key: &str| {
        object
            .iter()
            .find(|(name, _)| name == key)
            .and_then(|(_, value)| value.as_str())
    };
    let name = get("name")?;
    Some((name.to_owned(), get("as").unwrap_or(name).to_owned()))
}
