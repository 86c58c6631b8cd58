//! The directives of the federation specification by version, and the specifications federation incorporates.

use std::collections::BTreeMap;

use crate::link::{FEDERATION, Link};

/// A directive of the federation specification.
#[derive(Debug)]
pub(crate) struct SpecDirective {
    /// Its name in the specification.
    pub(crate) name: &'static str,
    /// The first federation version that has it.
    pub(crate) since: (u32, u32),
    /// Federation 1 knows it too.
    pub(crate) federation1: bool,
    /// Arguments, `repeatable` and locations; `{FieldSet}` and such stand for local type names.
    pub(crate) definition: &'static str,
    /// The specification of its own in which supergraphs carry it, if they do.
    pub(crate) supergraph: Option<SupergraphSpec>,
}

/// How a directive is linked in the supergraph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SupergraphSpec {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) purpose: Option<&'static str>,
}

const fn spec(
    name: &'static str,
    version: &'static str,
    purpose: Option<&'static str>,
) -> Option<SupergraphSpec> {
    Some(SupergraphSpec {
        name,
        version,
        purpose,
    })
}

/// The newest federation version known.
pub(crate) const NEWEST: (u32, u32) = (2, 14);

const EVERYWHERE: &str = "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION";

/// Every directive of federation, in the order in which supergraphs link their specifications.
pub(crate) const DIRECTIVES: &[SpecDirective] = &[
    plain(
        "key",
        (2, 0),
        true,
        "(fields: {FieldSet}!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE",
    ),
    plain(
        "requires",
        (2, 0),
        true,
        "(fields: {FieldSet}!) on FIELD_DEFINITION",
    ),
    plain(
        "provides",
        (2, 0),
        true,
        "(fields: {FieldSet}!) on FIELD_DEFINITION",
    ),
    plain(
        "external",
        (2, 0),
        true,
        "(reason: String) on OBJECT | FIELD_DEFINITION",
    ),
    plain("extends", (2, 0), true, " on OBJECT | INTERFACE"),
    plain(
        "shareable",
        (2, 0),
        false,
        " repeatable on OBJECT | FIELD_DEFINITION",
    ),
    plain(
        "override",
        (2, 0),
        false,
        "(from: String!, label: String) on FIELD_DEFINITION",
    ),
    plain(
        "composeDirective",
        (2, 1),
        false,
        "(name: String) repeatable on SCHEMA",
    ),
    plain("interfaceObject", (2, 3), false, " on OBJECT"),
    SpecDirective {
        name: "tag",
        since: (2, 0),
        federation1: true,
        definition: "(name: String!) repeatable on {Everywhere} | SCHEMA",
        supergraph: spec("tag", "v0.3", None),
    },
    SpecDirective {
        name: "inaccessible",
        since: (2, 0),
        federation1: false,
        definition: " on {Everywhere}",
        supergraph: spec("inaccessible", "v0.2", Some("SECURITY")),
    },
    SpecDirective {
        name: "authenticated",
        since: (2, 5),
        federation1: false,
        definition: " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        supergraph: spec("authenticated", "v0.1", Some("SECURITY")),
    },
    SpecDirective {
        name: "requiresScopes",
        since: (2, 5),
        federation1: false,
        definition: "(scopes: [[{Scope}!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        supergraph: spec("requiresScopes", "v0.1", Some("SECURITY")),
    },
    SpecDirective {
        name: "policy",
        since: (2, 6),
        federation1: false,
        definition: "(policies: [[{Policy}!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
        supergraph: spec("policy", "v0.1", Some("SECURITY")),
    },
    SpecDirective {
        name: "context",
        since: (2, 8),
        federation1: false,
        definition: "(name: String!) repeatable on INTERFACE | OBJECT | UNION",
        supergraph: spec("context", "v0.1", Some("SECURITY")),
    },
    plain(
        "fromContext",
        (2, 8),
        false,
        "(field: {ContextFieldValue}) on ARGUMENT_DEFINITION",
    ),
    SpecDirective {
        name: "cost",
        since: (2, 9),
        federation1: false,
        definition: "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
        supergraph: spec("cost", "v0.1", None),
    },
    SpecDirective {
        name: "listSize",
        since: (2, 9),
        federation1: false,
        definition: "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
        supergraph: spec("cost", "v0.1", None),
    },
    plain(
        "cacheTag",
        (2, 12),
        false,
        "(format: String!) repeatable on OBJECT | FIELD_DEFINITION",
    ),
];

const fn plain(
    name: &'static str,
    since: (u32, u32),
    federation1: bool,
    definition: &'static str,
) -> SpecDirective {
    SpecDirective {
        name,
        since,
        federation1,
        definition,
        supergraph: None,
    }
}

/// The scalars the definitions above refer to.
const SCALARS: &[&str] = &["FieldSet", "Scope", "Policy", "ContextFieldValue"];

impl SpecDirective {
    /// The SDL of its definition under the given local name.
    pub(crate) fn sdl(&self, local: &str, type_name: impl Fn(&str) -> String) -> String {
        let mut definition = self.definition.replace("{Everywhere}", EVERYWHERE);
        for scalar in SCALARS {
            definition = definition.replace(&format!("{{{scalar}}}"), &type_name(scalar));
        }
        format!("directive @{local}{definition}\n")
    }
}

/// One federation directive as a subgraph sees it.
#[derive(Debug)]
pub(crate) struct Available {
    pub(crate) spec: &'static SpecDirective,
    pub(crate) local: String,
}

/// What federation gives to a schema with these links.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) directives: Vec<Available>,
    /// Names of federation types in the schema; they never reach the supergraph.
    pub(crate) types: Vec<String>,
    field_set: String,
    prefix: Option<Link>,
}

impl Vocabulary {
    /// The Federation 1 vocabulary.
    pub(crate) fn federation1() -> Self {
        let directives = DIRECTIVES
            .iter()
            .filter(|spec| spec.federation1)
            .map(|spec| Available {
                spec,
                local: spec.name.to_owned(),
            })
            .collect();
        Self {
            directives,
            types: vec!["_FieldSet".to_owned()],
            field_set: "_FieldSet".to_owned(),
            prefix: None,
        }
    }

    /// The vocabulary of a Federation 2 link, and of further links to incorporated specifications.
    pub(crate) fn federation2(federation: &Link, version: (u32, u32), links: &[Link]) -> Self {
        let mut directives: Vec<Available> = DIRECTIVES
            .iter()
            .filter(|spec| spec.since <= version)
            .map(|spec| Available {
                spec,
                local: federation.directive_name(spec.name),
            })
            .collect();
        for spec in DIRECTIVES {
            let Some(own) = spec.supergraph else { continue };
            let identity = format!("https://specs.apollo.dev/{}", own.name);
            if let Some(link) = links.iter().find(|link| link.identity == identity) {
                directives.push(Available {
                    spec,
                    local: link.directive_name(spec.name),
                });
            }
        }
        let types = SCALARS
            .iter()
            .map(|scalar| federation.type_name(scalar))
            .collect();
        Self {
            directives,
            types,
            field_set: federation.type_name("FieldSet"),
            prefix: Some(federation.clone()),
        }
    }

    /// The directive the schema calls `local`.
    pub(crate) fn directive(&self, local: &str) -> Option<&'static SpecDirective> {
        self.directives
            .iter()
            .find(|available| available.local == local)
            .map(|available| available.spec)
    }

    /// Canonical to local names of directives; a link of a directive's own specification wins.
    pub(crate) fn local_names(&self) -> BTreeMap<String, String> {
        let names = self.directives.iter();
        names
            .map(|available| {
                (
                    format!("federation__{}", available.spec.name),
                    available.local.clone(),
                )
            })
            .collect()
    }

    /// The local name of a federation scalar.
    pub(crate) fn type_name(&self, name: &str) -> String {
        match &self.prefix {
            Some(link) => link.type_name(name),
            None => self.field_set.clone(),
        }
    }
}

/// The federation link among a subgraph's links.
pub(crate) fn federation_link(links: &[Link]) -> Option<&Link> {
    links.iter().find(|link| link.identity == FEDERATION)
}
