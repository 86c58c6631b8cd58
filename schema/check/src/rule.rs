//! The table of rules: what each kind of change is called, how grave it is unless configured otherwise, and why.

use std::fmt;

/// How grave a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Operations that worked stop working, or answer with what clients did not have to expect.
    Breaking,
    /// Operations stay valid, yet a client may meet something it does not handle.
    Dangerous,
    /// Would be breaking or dangerous, but the recorded usage shows that nobody is affected.
    SafeByUsage,
    /// No client can notice a loss.
    Safe,
}

impl Level {
    /// The spelling used in reports and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Dangerous => "dangerous",
            Self::SafeByUsage => "safe-by-usage",
            Self::Safe => "safe",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! rules {
    ($($variant:ident = $text:literal, $level:ident, $why:literal;)+) => {
        /// A kind of change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $(#[doc = $why] $variant),+ }

        impl Rule {
            /// Every rule, in the order of the table.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),+];

            /// Its published name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// How grave the change is unless the settings say otherwise.
            pub fn default_level(self) -> Level {
                match self { $(Self::$variant => Level::$level),+ }
            }

            /// Why it has that level.
            pub fn why(self) -> &'static str {
                match self { $(Self::$variant => $why),+ }
            }
        }
    };
}

rules! {
    RootTypeChanged = "ROOT_TYPE_CHANGED", Breaking, "Operations of that kind start at another type.";
    TypeRemoved = "TYPE_REMOVED", Breaking, "Operations that name the type, or select what returned it, are no longer valid.";
    TypeAdded = "TYPE_ADDED", Safe, "No operation can have named it.";
    TypeKindChanged = "TYPE_KIND_CHANGED", Breaking, "Selections and values that fitted one kind of type do not fit the other.";
    FieldRemoved = "FIELD_REMOVED", Breaking, "Operations that select the field are no longer valid.";
    FieldAdded = "FIELD_ADDED", Safe, "No operation can have selected it.";
    FieldTypeChanged = "FIELD_TYPE_CHANGED", Breaking, "Clients receive values of another shape, or their selections no longer fit.";
    FieldBecameNullable = "FIELD_BECAME_NULLABLE", Breaking, "Clients may receive null where they were promised a value.";
    FieldBecameNonNull = "FIELD_BECAME_NON_NULL", Safe, "Clients that handle null also handle its absence.";
    ArgumentRemoved = "ARGUMENT_REMOVED", Breaking, "Operations that send the argument are no longer valid.";
    ArgumentAdded = "ARGUMENT_ADDED", Safe, "Operations that do not send it mean what they meant.";
    RequiredArgumentAdded = "REQUIRED_ARGUMENT_ADDED", Breaking, "No existing operation sends the argument.";
    ArgumentTypeChanged = "ARGUMENT_TYPE_CHANGED", Breaking, "Values and variables that fitted no longer fit.";
    ArgumentBecameNonNull = "ARGUMENT_BECAME_NON_NULL", Breaking, "Operations that leave it out, or pass what may be null, are no longer valid.";
    ArgumentWidened = "ARGUMENT_WIDENED", Safe, "Everything that was accepted still is.";
    ArgumentDefaultChanged = "ARGUMENT_DEFAULT_CHANGED", Dangerous, "Operations that leave the argument out now mean something else.";
    ArgumentBecameRequired = "ARGUMENT_BECAME_REQUIRED", Breaking, "The default of a non-null argument is gone: operations that leave it out are no longer valid.";
    InputFieldRemoved = "INPUT_FIELD_REMOVED", Breaking, "Operations and variables that send the field are refused.";
    InputFieldAdded = "INPUT_FIELD_ADDED", Safe, "Values that do not have it mean what they meant.";
    RequiredInputFieldAdded = "REQUIRED_INPUT_FIELD_ADDED", Breaking, "No existing value of the input has the field.";
    InputFieldTypeChanged = "INPUT_FIELD_TYPE_CHANGED", Breaking, "Values that fitted no longer fit.";
    InputFieldBecameNonNull = "INPUT_FIELD_BECAME_NON_NULL", Breaking, "Values that leave it out or send null are refused.";
    InputFieldWidened = "INPUT_FIELD_WIDENED", Safe, "Everything that was accepted still is.";
    InputFieldDefaultChanged = "INPUT_FIELD_DEFAULT_CHANGED", Dangerous, "Values that leave the field out now mean something else.";
    InputFieldBecameRequired = "INPUT_FIELD_BECAME_REQUIRED", Breaking, "The default of a non-null field is gone: values that leave it out are refused.";
    OneOfAdded = "ONE_OF_ADDED", Breaking, "Values with several fields, or with null, are refused.";
    OneOfRemoved = "ONE_OF_REMOVED", Safe, "Everything that was accepted still is.";
    EnumValueRemoved = "ENUM_VALUE_REMOVED", Breaking, "Operations and variables that send the value are refused.";
    EnumValueRemovedFromResults = "ENUM_VALUE_REMOVED_FROM_RESULTS", Dangerous, "No operation can send the value; only code that compares with it is left without a purpose.";
    EnumValueAdded = "ENUM_VALUE_ADDED", Safe, "Clients only send values of this enum; they need not know the new one.";
    EnumValueAddedToResults = "ENUM_VALUE_ADDED_TO_RESULTS", Dangerous, "Clients may receive a value they do not know.";
    UnionMemberRemoved = "UNION_MEMBER_REMOVED", Breaking, "Fragments on the former member are no longer valid there.";
    UnionMemberAdded = "UNION_MEMBER_ADDED", Dangerous, "Clients may receive a type they have no fragment for.";
    InterfaceRemoved = "INTERFACE_REMOVED", Breaking, "Selections through the interface no longer reach the type, and fragments between both are no longer valid.";
    InterfaceAdded = "INTERFACE_ADDED", Dangerous, "Fields that return the interface may return a type clients have no fragment for.";
    DirectiveRemoved = "DIRECTIVE_REMOVED", Breaking, "Operations that use the directive are no longer valid.";
    DirectiveAdded = "DIRECTIVE_ADDED", Safe, "No operation can have used it.";
    DirectiveLocationRemoved = "DIRECTIVE_LOCATION_REMOVED", Breaking, "Operations that use the directive there are no longer valid.";
    DirectiveLocationAdded = "DIRECTIVE_LOCATION_ADDED", Safe, "Every former use is still allowed.";
    DirectiveNoLongerRepeatable = "DIRECTIVE_NO_LONGER_REPEATABLE", Breaking, "Operations that repeat the directive are no longer valid.";
    DirectiveBecameRepeatable = "DIRECTIVE_BECAME_REPEATABLE", Safe, "Every former use is still allowed.";
    DirectiveArgumentRemoved = "DIRECTIVE_ARGUMENT_REMOVED", Breaking, "Operations that pass the argument are no longer valid.";
    DirectiveArgumentAdded = "DIRECTIVE_ARGUMENT_ADDED", Safe, "Uses without it mean what they meant.";
    RequiredDirectiveArgumentAdded = "REQUIRED_DIRECTIVE_ARGUMENT_ADDED", Breaking, "No existing use passes the argument.";
    DirectiveArgumentTypeChanged = "DIRECTIVE_ARGUMENT_TYPE_CHANGED", Breaking, "Values that fitted no longer fit.";
    DirectiveArgumentWidened = "DIRECTIVE_ARGUMENT_WIDENED", Safe, "Everything that was accepted still is.";
    DirectiveArgumentDefaultChanged = "DIRECTIVE_ARGUMENT_DEFAULT_CHANGED", Dangerous, "Uses that leave the argument out now mean something else.";
    DeprecationAdded = "DEPRECATION_ADDED", Safe, "A note for clients; everything still works.";
    DeprecationRemoved = "DEPRECATION_REMOVED", Dangerous, "Clients that were told to leave are told nothing any more.";
    DeprecationReasonChanged = "DEPRECATION_REASON_CHANGED", Safe, "A note for clients; everything still works.";
    DescriptionChanged = "DESCRIPTION_CHANGED", Safe, "Documentation only.";
    SpecifiedByChanged = "SPECIFIED_BY_CHANGED", Dangerous, "The scalar's values may be written in another format.";
    InaccessibleAdded = "INACCESSIBLE_ADDED", Breaking, "@inaccessible takes the element out of what clients see, as a removal does.";
    InaccessibleRemoved = "INACCESSIBLE_REMOVED", Safe, "No operation can have used it; from now on clients may.";
    AuthorizationTightened = "AUTHORIZATION_TIGHTENED", Breaking, "Callers who were allowed are refused.";
    AuthorizationLoosened = "AUTHORIZATION_LOOSENED", Dangerous, "Callers who were refused are allowed: make sure that is meant.";
    TagsChanged = "TAGS_CHANGED", Dangerous, "Contracts that filter by the tag may gain or lose the element.";
    SubgraphAdded = "SUBGRAPH_ADDED", Safe, "The graph composes with it.";
    SubgraphRemoved = "SUBGRAPH_REMOVED", Safe, "What clients lose by it is listed on its own.";
    SubgraphUrlChanged = "SUBGRAPH_URL_CHANGED", Dangerous, "The router will call another address.";
    FieldMoved = "FIELD_MOVED", Safe, "Another subgraph resolves the field; clients cannot tell.";
    FieldSourceAdded = "FIELD_SOURCE_ADDED", Safe, "One more subgraph can resolve the field.";
    FieldSourceRemoved = "FIELD_SOURCE_REMOVED", Safe, "Other subgraphs still resolve the field.";
    OverrideLabelChanged = "OVERRIDE_LABEL_CHANGED", Dangerous, "The share of requests that another subgraph answers changes.";
    KeyRemoved = "KEY_REMOVED", Breaking, "Other subgraphs refer to the entity by this key and can no longer enter here.";
    UnusedKeyRemoved = "UNUSED_KEY_REMOVED", Safe, "No other subgraph refers to the entity by this key.";
    KeyAdded = "KEY_ADDED", Safe, "One more way to the entity.";
    RequiresChanged = "REQUIRES_CHANGED", Dangerous, "The field needs other data of other subgraphs before it can be resolved.";
    ProvidesChanged = "PROVIDES_CHANGED", Safe, "Only the way to the data changes; plans are compared on their own.";
    InterfaceObjectChanged = "INTERFACE_OBJECT_CHANGED", Dangerous, "The subgraph contributes to the interface in another way; types behind it are found differently.";
    CostChanged = "COST_CHANGED", Dangerous, "Operations near the limit of demand control may be refused.";
    OperationInvalid = "OPERATION_INVALID", Breaking, "An operation that clients send is not valid against the new schema.";
    PlanWorsened = "PLAN_WORSENED", Breaking, "An operation needs more fetches or waves than the threshold allows.";
    PlanChanged = "PLAN_CHANGED", Dangerous, "An operation needs more fetches, waves or selections than before.";
}

impl Rule {
    /// The rule of that published name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
