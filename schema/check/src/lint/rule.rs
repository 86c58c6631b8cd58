//! The table of lint rules: name, severity unless configured otherwise, and reason.

use crate::finding::Severity;

macro_rules! rules {
    ($($variant:ident = $text:literal, $severity:ident, $why:literal;)+) => {
        /// A lint rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LintRule { $(#[doc = $why] $variant),+ }

        impl LintRule {
            /// Every rule, in the order of the table.
            pub const ALL: &'static [LintRule] = &[$(LintRule::$variant),+];

            /// Its published name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// How a breach counts unless the settings say otherwise.
            pub fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Why there is such a rule.
            pub fn why(self) -> &'static str {
                match self { $(Self::$variant => $why),+ }
            }
        }
    };
}

rules! {
    TypeName = "type-name", Error, "Type names are PascalCase everywhere, so that generated code reads well in every language.";
    FieldName = "field-name", Error, "Field names are camelCase, as clients' code generators expect.";
    ArgumentName = "argument-name", Error, "Argument names are camelCase, as clients' code generators expect.";
    InputFieldName = "input-field-name", Error, "Input fields are camelCase, as clients' code generators expect.";
    EnumValueName = "enum-value-name", Error, "Enum values are UPPER_CASE, so that they are told from fields at a glance.";
    InputTypeSuffix = "input-type-suffix", Warning, "Input types end in Input or Filter, Sort, Order, Where: names of inputs and results must not collide.";
    TypeDescription = "type-description", Warning, "Clients see the schema, not the code: a type says what it stands for.";
    FieldDescription = "field-description", Warning, "Root fields are the entrances of the graph: each says what it does.";
    EnumValueDescription = "enum-value-description", Warning, "A value without a description leaves clients to guess when it applies.";
    DeprecationReason = "deprecation-reason", Error, "Clients that are told to leave must be told where to.";
    RelayConnection = "relay-connection", Error, "Types named Connection and Edge follow the Relay cursor connections specification.";
    PaginatedList = "paginated-list", Warning, "A list of entities grows without bound: it needs first, last or limit.";
    EntityFieldNullability = "entity-field-nullability", Warning, "Where another subgraph resolves the rest of the entity, its failure must not take the parent away: the field should be nullable.";
    UnusedType = "unused-type", Warning, "Nothing in the graph refers to the type.";
    MutationPayload = "mutation-payload", Warning, "A mutation returns a type of its own named after it, ending in Payload, so that it can grow.";
    MutationInput = "mutation-input", Warning, "A mutation with several arguments takes one input object, so that it can grow.";
}

impl LintRule {
    /// The rule of that published name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }
}
