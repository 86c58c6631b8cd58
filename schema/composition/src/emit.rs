//! Printing the merged graph as a supergraph document: link and join definitions first in order of name among
//! everything else, as other tools do, so that files compare well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use apollo_compiler::ast::{Directive, DirectiveDefinition, DirectiveList};
use apollo_compiler::{Name, Node};

use crate::merge::{ComposedDirective, ComposedKind, Member, Supergraph};
use crate::model::{FieldDef, InputDef, Kind, TypeDef};

/// Printed definitions by their sorting key.
type Definitions = BTreeMap<(String, String), String>;

const JOIN_DIRECTIVES: &str = "\
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA";

/// Older tools do not know it by themselves.
pub(crate) const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT";

const JOIN_TYPES: &str = "\
input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__DirectiveArguments

scalar join__FieldSet

scalar join__FieldValue

scalar link__Import

enum link__Purpose {
  \"\"\"
  `SECURITY` features provide metadata necessary to securely resolve fields.
  \"\"\"
  SECURITY

  \"\"\"
  `EXECUTION` features provide metadata necessary for operation execution.
  \"\"\"
  EXECUTION
}";

/// The supergraph SDL.
pub(crate) fn supergraph_sdl(supergraph: &Supergraph, members: &[Member]) -> String {
    let printer = Printer {
        composed: &supergraph.composed,
    };
    let mut directives = Definitions::new();
    for line in JOIN_DIRECTIVES.lines() {
        add(&mut directives, line.to_owned());
    }
    for definition in supergraph.executable.values() {
        add(&mut directives, printer.directive_definition(definition));
    }
    if supergraph.types.values().any(|ty| ty.directives.has("oneOf")) {
        add(&mut directives, ONE_OF.to_owned());
    }
    let mut types = Definitions::new();
    for definition in split_definitions(JOIN_TYPES) {
        add(&mut types, definition);
    }
    add(&mut types, graph_enum(members));
    for composed in &supergraph.composed {
        printer.composed_definition(composed, &mut directives, &mut types);
    }
    for ty in supergraph.types.values() {
        types.insert(sort_key(&ty.name), printer.type_def(ty));
    }
    let mut sdl = printer.schema(supergraph);
    for definition in directives.values().chain(types.values()) {
        sdl.push('\n');
        sdl += definition;
        sdl.push('\n');
    }
    sdl
}

/// Splits at blank lines between definitions, but not inside braces.
fn split_definitions(sdl: &str) -> Vec<String> {
    let mut definitions = vec![String::new()];
    for line in sdl.lines() {
        let current = definitions.last_mut().expect("never empty");
        if line.is_empty() && current.matches('{').count() == current.matches('}').count() {
            definitions.push(String::new());
        } else {
            if !current.is_empty() {
                current.push('\n');
            }
            current.push_str(line);
        }
    }
    definitions
}

/// Adds a definition under the name it defines: its second word, after any `@`.
fn add(definitions: &mut Definitions, definition: String) {
    let name = definition.split_whitespace().nth(1).unwrap_or_default();
    let name = name
        .trim_start_matches('@')
        .split('(')
        .next()
        .unwrap_or_default()
        .to_owned();
    definitions.insert(sort_key(&name), definition);
}

/// Alphabetical regardless of case, and by case where that is the only difference.
fn sort_key(name: &str) -> (String, String) {
    (name.to_lowercase(), name.to_owned())
}

fn graph_enum(members: &[Member]) -> String {
    let mut sdl = String::from("enum join__Graph {\n");
    for member in members {
        let subgraph = &member.subgraph;
        let (name, url) = (quoted(&subgraph.name), quoted(&subgraph.url));
        let _ = writeln!(sdl, "  {} @join__graph(name: {name}, url: {url})", subgraph.graph);
    }
    sdl + "}"
}

fn quoted(text: &str) -> String {
    apollo_compiler::ast::Value::String(text.to_owned()).to_string()
}

/// Prints elements, giving federation directives their supergraph names.
pub(crate) struct Printer<'a> {
    pub(crate) composed: &'a [ComposedDirective],
}

impl Printer<'_> {
    fn schema(&self, supergraph: &Supergraph) -> String {
        let mut sdl = description(supergraph.schema.description.as_ref(), "");
        sdl += "schema\n  @link(url: \"https://specs.apollo.dev/link/v1.0\")\n  @link(url: \"https://specs.apollo.dev/join/v0.5\", for: EXECUTION)\n";
        for link in self.links() {
            let _ = writeln!(sdl, "  {link}");
        }
        if has_cache_tags(supergraph) {
            sdl += "  @link(url: \"https://specs.apollo.dev/cacheTag/v0.1\", for: EXECUTION)\n";
        }
        for directive in supergraph.schema.directives.iter() {
            let _ = writeln!(sdl, "  {}", self.directive(directive));
        }
        sdl + &roots(&supergraph.types)
    }

    /// The schema definition alone, where there is a description that needs one.
    pub(crate) fn described_schema(&self, supergraph: &Supergraph) -> Option<String> {
        let text = supergraph.schema.description.as_ref()?;
        Some(format!(
            "{}schema {}",
            description(Some(text), ""),
            roots(&supergraph.types).trim_end()
        ))
    }

    fn directive_definition(&self, definition: &DirectiveDefinition) -> String {
        let mut printed = definition.clone();
        for argument in &mut printed.arguments {
            if argument.directives.is_empty() {
                continue;
            }
            for directive in argument.make_mut().directives.iter_mut() {
                let composed = self
                    .composed
                    .iter()
                    .find(|composed| directive.name == composed.canonical.as_str());
                if let Some(composed) = composed {
                    directive.make_mut().name = Name::new_unchecked(&composed.local);
                }
            }
        }
        printed.to_string().trim_end().to_owned()
    }

    /// One `@link` a specification, in order of first use.
    fn links(&self) -> Vec<String> {
        let mut links: Vec<(String, &str, Vec<String>)> = Vec::new();
        for composed in self.composed {
            let (url, purpose, import) = link_of(composed);
            match links.iter_mut().find(|(known, ..)| *known == url) {
                Some((_, _, imports)) => imports.extend(import),
                None => links.push((url, purpose, import.into_iter().collect())),
            }
        }
        let print = |(url, purpose, imports): (String, &str, Vec<String>)| {
            let imports = if imports.is_empty() {
                String::new()
            } else {
                format!(", import: [{}]", imports.join(", "))
            };
            format!("@link(url: {}{imports}{purpose})", quoted(&url))
        };
        links.into_iter().map(print).collect()
    }

    fn composed_definition(
        &self,
        composed: &ComposedDirective,
        directives: &mut Definitions,
        types: &mut Definitions,
    ) {
        let sdl = match &composed.kind {
            ComposedKind::Custom { definition, .. } => definition.to_string().trim_end().to_owned(),
            ComposedKind::Federation(spec) => {
                let prefix = spec.supergraph.map_or("federation", |own| own.name);
                let scalar = |name: &str| format!("{prefix}__{name}");
                for name in ["Scope", "Policy"]
                    .iter()
                    .filter(|name| spec.definition.contains(&format!("{{{name}}}")))
                {
                    add(types, format!("scalar {}", scalar(name)));
                }
                spec.sdl(&composed.local, scalar).trim_end().to_owned()
            }
        };
        if composed.canonical == "federation__context" {
            add(types, "scalar context__ContextFieldValue".to_owned());
            add(
                directives,
                "directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION"
                    .to_owned(),
            );
        }
        add(directives, sdl);
    }

    /// A type; its directives stand on lines of their own.
    pub(crate) fn type_def(&self, ty: &TypeDef) -> String {
        let keyword = match ty.kind {
            Kind::Scalar => "scalar",
            Kind::Object => "type",
            Kind::Interface => "interface",
            Kind::Union => "union",
            Kind::Enum => "enum",
            Kind::InputObject => "input",
        };
        let mut sdl = description(ty.description.as_ref(), "");
        let _ = write!(sdl, "{keyword} {}", ty.name);
        if !ty.implements.is_empty() {
            let interfaces: Vec<&str> = ty.implements.iter().map(|name| name.as_str()).collect();
            let _ = write!(sdl, " implements {}", interfaces.join(" & "));
        }
        for directive in ty.directives.iter() {
            let _ = write!(sdl, "\n  {}", self.directive(directive));
        }
        let members = self.members(ty);
        if ty.kind == Kind::Union {
            let members: Vec<&str> = ty.members.iter().map(|name| name.as_str()).collect();
            let separator = if ty.directives.is_empty() { "" } else { "\n" };
            let _ = write!(sdl, "{separator} = {}", members.join(" | "));
        } else if !members.is_empty() {
            sdl += if ty.directives.is_empty() { " {\n" } else { "\n{\n" };
            sdl += &members;
            sdl.push('}');
        }
        sdl
    }

    fn members(&self, ty: &TypeDef) -> String {
        let fields = ty.fields.values().map(|field| self.field(field));
        let inputs = ty.inputs.values().map(|input| {
            format!(
                "{}  {}\n",
                description(input.description.as_ref(), "  "),
                self.input(input)
            )
        });
        let values = ty.values.values().map(|value| {
            let directives = self.directives(&value.directives);
            format!(
                "{}  {}{directives}\n",
                description(value.description.as_ref(), "  "),
                value.name
            )
        });
        let members: Vec<String> = fields.chain(inputs).chain(values).collect();
        let mut sdl = String::new();
        for (index, member) in members.iter().enumerate() {
            // A described member stands apart from the one before it.
            if index > 0 && member.trim_start().starts_with('"') {
                sdl.push('\n');
            }
            sdl += member;
        }
        sdl
    }

    fn field(&self, field: &FieldDef) -> String {
        let arguments = self.arguments(field);
        let directives = self.directives(&field.directives);
        let described = description(field.description.as_ref(), "  ");
        format!(
            "{described}  {}{arguments}: {}{directives}\n",
            field.name, field.ty
        )
    }

    fn arguments(&self, field: &FieldDef) -> String {
        if field.arguments.is_empty() {
            return String::new();
        }
        if field
            .arguments
            .values()
            .all(|argument| argument.description.is_none())
        {
            let arguments: Vec<String> = field
                .arguments
                .values()
                .map(|argument| self.input(argument))
                .collect();
            return format!("({})", arguments.join(", "));
        }
        let mut sdl = String::from("(\n");
        for (index, argument) in field.arguments.values().enumerate() {
            if index > 0 && argument.description.is_some() {
                sdl.push('\n');
            }
            sdl += &description(argument.description.as_ref(), "    ");
            let _ = writeln!(sdl, "    {}", self.input(argument));
        }
        sdl + "  )"
    }

    fn input(&self, input: &InputDef) -> String {
        let default = input.default.as_ref().map_or(String::new(), |value| {
            format!(" = {}", value.serialize().no_indent())
        });
        format!(
            "{}: {}{default}{}",
            input.name,
            input.ty,
            self.directives(&input.directives)
        )
    }

    fn directives(&self, directives: &DirectiveList) -> String {
        directives.iter().fold(String::new(), |sdl, directive| {
            sdl + " " + &self.directive(directive)
        })
    }

    fn directive(&self, directive: &Node<Directive>) -> String {
        let known = self
            .composed
            .iter()
            .find(|composed| directive.name == composed.canonical.as_str());
        let local = known.map_or(directive.name.as_str(), |composed| &composed.local);
        if directive.arguments.is_empty() {
            return format!("@{local}");
        }
        let arguments = directive.arguments.iter();
        let arguments: Vec<String> = arguments
            .map(|argument| format!("{}: {}", argument.name, argument.value.serialize().no_indent()))
            .collect();
        format!("@{local}({})", arguments.join(", "))
    }
}

/// Cache tags are carried by `@join__directive`, yet their specification is linked.
fn has_cache_tags(supergraph: &Supergraph) -> bool {
    supergraph.types.values().any(|ty| {
        let fields = ty.fields.values().map(|field| &field.directives);
        std::iter::once(&ty.directives)
            .chain(fields)
            .any(|directives| directives.has("join__directive"))
    })
}

fn roots(types: &BTreeMap<apollo_compiler::Name, TypeDef>) -> String {
    let mut sdl = String::from("{\n");
    for (operation, root) in [
        ("query", "Query"),
        ("mutation", "Mutation"),
        ("subscription", "Subscription"),
    ] {
        if types.contains_key(root) {
            let _ = writeln!(sdl, "  {operation}: {root}");
        }
    }
    sdl + "}\n"
}

/// Address, purpose and import of the link a composed directive needs.
fn link_of(composed: &ComposedDirective) -> (String, &'static str, Option<String>) {
    match &composed.kind {
        ComposedKind::Federation(spec) => {
            let own = spec
                .supergraph
                .expect("only directives with a specification are composed");
            let url = format!("https://specs.apollo.dev/{}/{}", own.name, own.version);
            let purpose = if own.purpose.is_some() {
                ", for: SECURITY"
            } else {
                ""
            };
            let by_default = own.name == spec.name && composed.local == spec.name;
            (
                url,
                purpose,
                (!by_default).then(|| import(spec.name, &composed.local)),
            )
        }
        ComposedKind::Custom { link, element, .. } => {
            let purpose = match link.purpose.as_deref() {
                Some("SECURITY") => ", for: SECURITY",
                Some("EXECUTION") => ", for: EXECUTION",
                _ => "",
            };
            (link.url.clone(), purpose, Some(import(element, &composed.local)))
        }
    }
}

fn import(element: &str, local: &str) -> String {
    if element == local {
        format!("\"@{element}\"")
    } else {
        format!("{{name: \"@{element}\", as: \"@{local}\"}}")
    }
}

/// A block string where the text has lines, as is common.
fn description(text: Option<&Node<str>>, indent: &str) -> String {
    let Some(text) = text else { return String::new() };
    let escaped = text.replace("\"\"\"", "\\\"\"\"");
    if !escaped.contains('\n') && !escaped.ends_with('"') && !escaped.ends_with('\\') && escaped.len() < 70 {
        return format!("{indent}\"\"\"{escaped}\"\"\"\n");
    }
    let mut sdl = format!("{indent}\"\"\"\n");
    for line in escaped.lines() {
        sdl += if line.is_empty() { "" } else { indent };
        sdl += line;
        sdl.push('\n');
    }
    sdl + indent + "\"\"\"\n"
}
