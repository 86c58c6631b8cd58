//! The one schema shape all stages work on: what a subgraph declares after ingestion, and what merging produces.
//!
//! Federation directives carry their canonical name (`federation__key`) whatever the subgraph calls them.

use apollo_compiler::ast::{Directive, DirectiveList, Type, Value};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use apollo_compiler::schema::DirectiveDefinition;
use apollo_compiler::{Name, Node};
use std::collections::BTreeMap;

use crate::code::{Code, HintCode};
use crate::diagnostic::{Diagnostic, Hint, Origin};
use crate::link::Link;

/// The kinds of named type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

impl Kind {
    /// As a person would say it.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Kind::Scalar => "scalar",
            Kind::Object => "object",
            Kind::Interface => "interface",
            Kind::Union => "union",
            Kind::Enum => "enum",
            Kind::InputObject => "input object",
        }
    }

    pub(crate) fn is_composite(self) -> bool {
        matches!(self, Kind::Object | Kind::Interface | Kind::Union)
    }

    pub(crate) fn is_abstract(self) -> bool {
        matches!(self, Kind::Interface | Kind::Union)
    }
}

/// A named type: only the members its kind can have are filled.
#[derive(Debug, Clone)]
pub(crate) struct TypeDef {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) description: Option<Node<str>>,
    pub(crate) span: Option<SourceSpan>,
    /// Declared only by `extend`.
    pub(crate) extension: bool,
    pub(crate) implements: IndexSet<Name>,
    pub(crate) directives: DirectiveList,
    pub(crate) fields: IndexMap<Name, FieldDef>,
    pub(crate) inputs: IndexMap<Name, InputDef>,
    pub(crate) members: IndexSet<Name>,
    pub(crate) values: IndexMap<Name, EnumValue>,
}

impl TypeDef {
    /// A type without members.
    pub(crate) fn empty(name: Name, kind: Kind) -> Self {
        Self {
            name,
            kind,
            description: None,
            span: None,
            extension: false,
            implements: IndexSet::default(),
            directives: DirectiveList::default(),
            fields: IndexMap::default(),
            inputs: IndexMap::default(),
            members: IndexSet::default(),
            values: IndexMap::default(),
        }
    }

    /// The kind it has in the supergraph: interface objects stand for interfaces.
    pub(crate) fn merged_kind(&self) -> Kind {
        if self.is_interface_object() {
            Kind::Interface
        } else {
            self.kind
        }
    }

    pub(crate) fn is_interface_object(&self) -> bool {
        self.kind == Kind::Object && self.directives.has("federation__interfaceObject")
    }

    /// Whether this adds to a type that another subgraph defines, in the sense of Federation 1.
    pub(crate) fn is_federation_extension(&self) -> bool {
        self.extension || self.directives.has("federation__extends")
    }

    pub(crate) fn is_root(&self) -> bool {
        is_root_name(&self.name)
    }
}

/// Whether the (canonical) name is that of an operation root.
pub(crate) fn is_root_name(name: &str) -> bool {
    matches!(name, "Query" | "Mutation" | "Subscription")
}

/// A field of an object or interface type.
#[derive(Debug, Clone)]
pub(crate) struct FieldDef {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) arguments: IndexMap<Name, InputDef>,
    pub(crate) directives: DirectiveList,
    pub(crate) span: Option<SourceSpan>,
}

/// An argument or a field of an input object.
#[derive(Debug, Clone)]
pub(crate) struct InputDef {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) ty: Type,
    pub(crate) default: Option<Node<Value>>,
    pub(crate) directives: DirectiveList,
    pub(crate) span: Option<SourceSpan>,
}

impl InputDef {
    pub(crate) fn is_required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub(crate) struct EnumValue {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) directives: DirectiveList,
    pub(crate) span: Option<SourceSpan>,
}

/// A schema definition, but for its links and root types.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaDef {
    pub(crate) description: Option<Node<str>>,
    pub(crate) directives: DirectiveList,
    pub(crate) span: Option<SourceSpan>,
}

/// What all elements of a schema have.
pub(crate) trait Element {
    fn description(&self) -> Option<&Node<str>>;
    fn directives(&self) -> &DirectiveList;
    /// Where it is declared; nothing for what merging made.
    fn span(&self) -> Option<SourceSpan>;
}

macro_rules! elements {
    ($($name:ident),+) => {
        $(impl Element for $name {
            fn description(&self) -> Option<&Node<str>> {
                self.description.as_ref()
            }

            fn directives(&self) -> &DirectiveList {
                &self.directives
            }

            fn span(&self) -> Option<SourceSpan> {
                self.span
            }
        })+
    };
}

elements!(TypeDef, FieldDef, InputDef, EnumValue, SchemaDef);

/// One subgraph after ingestion.
#[derive(Debug, Clone)]
pub(crate) struct Subgraph {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) file: Option<String>,
    /// Its value in the supergraph's `join__Graph` enum.
    pub(crate) graph: Name,
    pub(crate) federation1: bool,
    /// The federation version linked; (1, 0) for Federation 1.
    pub(crate) version: (u32, u32),
    pub(crate) links: Vec<Link>,
    /// What the subgraph calls the directives of federation, by canonical name.
    pub(crate) local_names: BTreeMap<String, String>,
    pub(crate) schema: SchemaDef,
    pub(crate) types: BTreeMap<Name, TypeDef>,
    /// Directives the subgraph defines itself; federation's and the built-in ones are not here.
    pub(crate) directive_definitions: BTreeMap<Name, Node<DirectiveDefinition>>,
    pub(crate) sources: SourceMap,
}

impl Subgraph {
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin {
            subgraph: &self.name,
            file: self.file.as_deref(),
            sources: &self.sources,
        }
    }

    pub(crate) fn error(
        &self,
        code: Code,
        span: Option<SourceSpan>,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.origin().error(code, span, message)
    }

    pub(crate) fn hint(&self, code: HintCode, span: Option<SourceSpan>, message: impl Into<String>) -> Hint {
        self.origin().hint(code, span, message)
    }

    /// The applications with federation's directives under their canonical names.
    pub(crate) fn canonical_directives(&self, applied: &DirectiveList) -> DirectiveList {
        let canonical = |directive: &Node<Directive>| {
            let mut names = self.local_names.iter();
            let known = names.find(|(_, local)| *local == directive.name.as_str());
            known.map_or_else(
                || directive.clone(),
                |(canonical, _)| {
                    directive.same_location(Directive {
                        name: Name::new_unchecked(canonical),
                        arguments: directive.arguments.clone(),
                    })
                },
            )
        };
        DirectiveList(applied.iter().map(canonical).collect())
    }

    /// The object types that can be behind `name`: itself, or those of an abstract type.
    pub(crate) fn runtime_types(&self, name: &str) -> Vec<&Name> {
        let Some(ty) = self.types.get(name) else {
            return Vec::new();
        };
        match ty.kind {
            Kind::Object => vec![&ty.name],
            Kind::Union => ty.members.iter().collect(),
            Kind::Interface => self
                .types
                .values()
                .filter(|other| other.kind == Kind::Object && other.implements.contains(name))
                .map(|other| &other.name)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The string argument `name` of a directive.
pub(crate) fn string_argument<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    directive
        .specified_argument_by_name(name)
        .and_then(|value| value.as_str())
}
