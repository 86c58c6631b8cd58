//! `@link` applications: which specification a subgraph uses, in which version, under which names.

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Directive, Document, Value};
use apollo_compiler::parser::SourceSpan;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Origin};

/// The identity (address without version) of the federation specification.
pub(crate) const FEDERATION: &str = "https://specs.apollo.dev/federation";

/// The identity of the link specification itself.
pub(crate) const LINK: &str = "https://specs.apollo.dev/link";

/// One `@link`.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) version: Option<(u32, u32)>,
    pub(crate) alias: Option<String>,
    pub(crate) imports: Vec<Import>,
    pub(crate) purpose: Option<String>,
    pub(crate) span: Option<SourceSpan>,
}

/// One imported element: directives keep their `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
}

impl Import {
    /// What the schema calls it.
    pub(crate) fn local(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

impl Link {
    pub(crate) fn prefix(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    /// The name under which the schema knows `@directive` of this specification.
    pub(crate) fn directive_name(&self, directive: &str) -> String {
        match self.import_of(&format!("@{directive}")) {
            Some(local) => local.trim_start_matches('@').to_owned(),
            None if directive == self.name => self.prefix().to_owned(),
            None => format!("{}__{directive}", self.prefix()),
        }
    }

    /// The name under which the schema knows the type `name` of this specification.
    pub(crate) fn type_name(&self, name: &str) -> String {
        match self.import_of(name) {
            Some(local) => local.to_owned(),
            None => format!("{}__{name}", self.prefix()),
        }
    }

    fn import_of(&self, name: &str) -> Option<&str> {
        let import = self.imports.iter().find(|import| import.name == name)?;
        Some(import.alias.as_deref().unwrap_or(&import.name))
    }

    /// The specification's own name of the directive the schema calls `local`.
    pub(crate) fn element_of(&self, local: &str) -> Option<String> {
        let wanted = format!("@{local}");
        if let Some(import) = self
            .imports
            .iter()
            .find(|import| import.alias.as_deref().unwrap_or(&import.name) == wanted)
        {
            return Some(import.name.trim_start_matches('@').to_owned());
        }
        if local == self.prefix() {
            return Some(self.name.clone());
        }
        local
            .strip_prefix(self.prefix())?
            .strip_prefix("__")
            .map(str::to_owned)
    }
}

/// Every `@link` on the schema definition and its extensions, in order.
pub(crate) fn read_links(document: &Document, origin: Origin<'_>, errors: &mut Vec<Diagnostic>) -> Vec<Link> {
    let mut links = Vec::new();
    for definition in &document.definitions {
        let directives = match definition {
            Definition::SchemaDefinition(schema) => &schema.directives,
            Definition::SchemaExtension(schema) => &schema.directives,
            _ => continue,
        };
        for directive in directives.iter().filter(|directive| is_link(directive)) {
            match read_link(directive, origin) {
                Ok(link) => links.push(link),
                Err(error) => errors.push(error),
            }
        }
    }
    links
}

/// `@link`, or whatever a self-link renames it to.
fn is_link(directive: &Directive) -> bool {
    directive.name == "link"
        || directive
            .specified_argument_by_name("url")
            .and_then(|url| url.as_str())
            .is_some_and(|url| url.starts_with("https://specs.apollo.dev/"))
}

fn read_link(directive: &Node<Directive>, origin: Origin<'_>) -> Result<Link, Diagnostic> {
    let span = directive.location();
    let string = |name: &str| {
        directive
            .specified_argument_by_name(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let Some(url) = string("url") else {
        return Err(origin.error(
            Code::InvalidLinkDirectiveUsage,
            span,
            "@link needs a \"url\" that is a string",
        ));
    };
    let (identity, version) = split_version(&url);
    let Some(name) = identity
        .rsplit('/')
        .next()
        .filter(|name| !name.is_empty() && identity.contains("://"))
    else {
        return Err(origin.error(
            Code::InvalidLinkIdentifier,
            span,
            format!("\"{url}\" names no specification"),
        ));
    };
    if version.is_none() && identity.starts_with("https://specs.apollo.dev/") {
        let message = format!("\"{url}\" must end in a version, such as v1.0");
        return Err(origin.error(Code::InvalidLinkIdentifier, span, message));
    }
    let purpose = directive
        .specified_argument_by_name("for")
        .and_then(|value| value.as_enum())
        .map(|v| v.to_string());
    Ok(Link {
        name: name.to_owned(),
        identity: identity.to_owned(),
        version,
        alias: string("as"),
        imports: read_imports(directive, origin)?,
        purpose,
        span,
        url,
    })
}

/// Splits `…/name/v1.2` into address and version.
fn split_version(url: &str) -> (&str, Option<(u32, u32)>) {
    let url = url.trim_end_matches('/');
    let Some((identity, last)) = url.rsplit_once('/') else {
        return (url, None);
    };
    let version = last
        .strip_prefix('v')
        .and_then(|version| version.split_once('.'))
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match version {
        Some(version) => (identity, Some(version)),
        None => (url, None),
    }
}

fn read_imports(directive: &Node<Directive>, origin: Origin<'_>) -> Result<Vec<Import>, Diagnostic> {
    let Some(imports) = directive.specified_argument_by_name("import") else {
        return Ok(Vec::new());
    };
    let invalid = |message: &str| {
        origin.error(
            Code::InvalidLinkDirectiveUsage,
            imports.location(),
            format!("@link import: {message}"),
        )
    };
    let Some(items) = imports.as_list() else {
        return Err(invalid("a list is expected"));
    };
    items
        .iter()
        .map(|item| read_import(item).map_err(invalid))
        .collect()
}

fn read_import(item: &Value) -> Result<Import, &'static str> {
    if let Some(name) = item.as_str() {
        if !is_importable(name) {
            return Err("names are expected");
        }
        return Ok(Import {
            name: name.to_owned(),
            alias: None,
        });
    }
    let Some(entries) = item.as_object() else {
        return Err("items are names or {name, as} objects");
    };
    if entries.iter().any(|(key, _)| key != "name" && key != "as") {
        return Err("objects have a \"name\" and an \"as\", nothing else");
    }
    let entry = |key: &str| {
        entries
            .iter()
            .find(|(name, _)| name == key)
            .and_then(|(_, value)| value.as_str())
            .map(str::to_owned)
    };
    let Some(name) = entry("name") else {
        return Err("an object needs a \"name\" that is a string");
    };
    let alias = entry("as");
    if [Some(&name), alias.as_ref()]
        .into_iter()
        .flatten()
        .any(|name| !is_importable(name))
    {
        return Err("names are expected");
    }
    if let Some(alias) = &alias
        && alias.starts_with('@') != name.starts_with('@')
    {
        return Err("a directive must be renamed to a directive, with \"@\", and a type to a type");
    }
    Ok(Import { name, alias })
}

/// A GraphQL name, after an `@` for a directive.
fn is_importable(name: &str) -> bool {
    let name = name.strip_prefix('@').unwrap_or(name);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
