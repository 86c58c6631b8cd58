//! The codes of the federation error and hint catalogues.

use std::fmt;

macro_rules! codes {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        $vis enum $name { $(#[doc = concat!("`", $text, "`")] $variant),+ }

        impl $name {
            /// The published spelling of the code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

codes! {
    /// The published codes of composition errors.
    ///
    /// Absent, because composition cannot find them: `INVALID_FEDERATION_SUPERGRAPH`, `UNSUPPORTED_LINKED_FEATURE` and
    /// `DOWNSTREAM_SERVICE_ERROR` are a router's, `UNSUPPORTED_FEATURE` is published but nothing raises it any more, `VALUE_TYPE_KIND_MISMATCH` and
    /// `EXTENSION_OF_WRONG_KIND` are `TYPE_KIND_MISMATCH` since Federation 2.0, and the other codes of Federation 1 are
    /// listed as removed in the catalogue.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Code {
        AuthRequirementsAppliedOnInterface = "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        ContextInvalidSelection = "CONTEXT_INVALID_SELECTION",
        ContextNameInvalid = "CONTEXT_NAME_INVALID",
        ContextNotSet = "CONTEXT_NOT_SET",
        ContextNoResolvableKey = "CONTEXT_NO_RESOLVABLE_KEY",
        CostAppliedToInterfaceField = "COST_APPLIED_TO_INTERFACE_FIELD",
        DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
        DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
        DirectiveDefinitionInvalid = "DIRECTIVE_DEFINITION_INVALID",
        DisallowedInaccessible = "DISALLOWED_INACCESSIBLE",
        EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
        EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
        EnumValueMismatch = "ENUM_VALUE_MISMATCH",
        ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
        ExternalArgumentDefaultMismatch = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
        ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
        ExternalCollisionWithAnotherDirective = "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
        ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE",
        ExternalOnInterface = "EXTERNAL_ON_INTERFACE",
        ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH",
        ExternalUnused = "EXTERNAL_UNUSED",
        FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH",
        FieldTypeMismatch = "FIELD_TYPE_MISMATCH",
        ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE",
        InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH",
        InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM",
        InterfaceKeyMissingImplementationType = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
        InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR",
        InvalidFieldSharing = "INVALID_FIELD_SHARING",
        InvalidGraphql = "INVALID_GRAPHQL",
        InvalidLinkDirectiveUsage = "INVALID_LINK_DIRECTIVE_USAGE",
        InvalidLinkIdentifier = "INVALID_LINK_IDENTIFIER",
        InvalidShareableUsage = "INVALID_SHAREABLE_USAGE",
        InvalidSubgraphName = "INVALID_SUBGRAPH_NAME",
        KeyDirectiveInFieldsArg = "KEY_DIRECTIVE_IN_FIELDS_ARG",
        KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS",
        KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE",
        KeyInvalidFields = "KEY_INVALID_FIELDS",
        KeyInvalidFieldsType = "KEY_INVALID_FIELDS_TYPE",
        KeyUnsupportedOnInterface = "KEY_UNSUPPORTED_ON_INTERFACE",
        LinkImportNameMismatch = "LINK_IMPORT_NAME_MISMATCH",
        ListSizeAppliedToNonList = "LIST_SIZE_APPLIED_TO_NON_LIST",
        ListSizeInvalidAssumedSize = "LIST_SIZE_INVALID_ASSUMED_SIZE",
        ListSizeInvalidSizedField = "LIST_SIZE_INVALID_SIZED_FIELD",
        ListSizeInvalidSlicingArgument = "LIST_SIZE_INVALID_SLICING_ARGUMENT",
        MaxValidationSubgraphPathsExceeded = "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED",
        MergedDirectiveApplicationOnExternal = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
        MissingTransitiveAuthRequirements = "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
        NoContextInSelection = "NO_CONTEXT_IN_SELECTION",
        NoQueries = "NO_QUERIES",
        OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN",
        OverrideCollisionWithAnotherDirective = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
        OverrideFromSelfError = "OVERRIDE_FROM_SELF_ERROR",
        OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID",
        OverrideOnInterface = "OVERRIDE_ON_INTERFACE",
        OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE",
        ProvidesDirectiveInFieldsArg = "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
        ProvidesFieldsHasArgs = "PROVIDES_FIELDS_HAS_ARGS",
        ProvidesFieldsMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL",
        ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS",
        ProvidesInvalidFieldsType = "PROVIDES_INVALID_FIELDS_TYPE",
        ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD",
        ProvidesUnsupportedOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE",
        QueryRootTypeInaccessible = "QUERY_ROOT_TYPE_INACCESSIBLE",
        ReferencedInaccessible = "REFERENCED_INACCESSIBLE",
        RequiredArgumentMissingInSomeSubgraph = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        RequiredInaccessible = "REQUIRED_INACCESSIBLE",
        RequiredInputFieldMissingInSomeSubgraph = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
        RequiresDirectiveInFieldsArg = "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
        RequiresFieldsMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL",
        RequiresInvalidFields = "REQUIRES_INVALID_FIELDS",
        RequiresInvalidFieldsType = "REQUIRES_INVALID_FIELDS_TYPE",
        RequiresUnsupportedOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE",
        RootMutationUsed = "ROOT_MUTATION_USED",
        RootQueryUsed = "ROOT_QUERY_USED",
        RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED",
        SatisfiabilityError = "SATISFIABILITY_ERROR",
        ShareableHasMismatchedRuntimeTypes = "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
        TypeDefinitionInvalid = "TYPE_DEFINITION_INVALID",
        TypeKindMismatch = "TYPE_KIND_MISMATCH",
        TypeWithOnlyUnusedExternal = "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
        UnknownLinkVersion = "UNKNOWN_LINK_VERSION",
    }
}

impl Code {
    /// Whether subgraphs disagree about which directives the supergraph has.
    pub(crate) fn is_about_directives(self) -> bool {
        matches!(
            self,
            Self::DirectiveCompositionError | Self::LinkImportNameMismatch
        )
    }
}

codes! {
    /// The published codes of composition hints.
    ///
    /// Absent: `INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE` and `INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS`, as
    /// definitions of type system directives are never merged: federation's own are fixed, and of those named by
    /// `@composeDirective` the newest is taken. `IMPLICITLY_UPGRADED_FEDERATION_VERSION`: one version covers them all.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum HintCode {
        ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        DirectiveCompositionInfo = "DIRECTIVE_COMPOSITION_INFO",
        DirectiveCompositionWarn = "DIRECTIVE_COMPOSITION_WARN",
        FromSubgraphDoesNotExist = "FROM_SUBGRAPH_DOES_NOT_EXIST",
        InconsistentArgumentPresence = "INCONSISTENT_ARGUMENT_PRESENCE",
        InconsistentButCompatibleArgumentType = "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
        InconsistentButCompatibleFieldType = "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
        InconsistentDefaultValuePresence = "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
        InconsistentDescription = "INCONSISTENT_DESCRIPTION",
        InconsistentEntity = "INCONSISTENT_ENTITY",
        InconsistentEnumValueForInputEnum = "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
        InconsistentEnumValueForOutputEnum = "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
        InconsistentExecutableDirectiveLocations = "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
        InconsistentExecutableDirectivePresence = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
        InconsistentExecutableDirectiveRepeatable = "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
        InconsistentInputObjectField = "INCONSISTENT_INPUT_OBJECT_FIELD",
        InconsistentInterfaceValueTypeField = "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD",
        InconsistentNonRepeatableDirectiveArguments = "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        InconsistentObjectValueTypeField = "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD",
        InconsistentRuntimeTypesForShareableReturn = "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
        InconsistentUnionMember = "INCONSISTENT_UNION_MEMBER",
        MergedNonRepeatableDirectiveArguments = "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
        NoExecutableDirectiveIntersection = "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
        OverriddenFieldCanBeRemoved = "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
        OverrideDirectiveCanBeRemoved = "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
        OverrideMigrationInProgress = "OVERRIDE_MIGRATION_IN_PROGRESS",
        UnusedEnumType = "UNUSED_ENUM_TYPE",
    }
}

/// How much a hint matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HintLevel {
    /// Probably not what was meant.
    Warn,
    /// Worth knowing.
    Info,
    /// Ordinary, but interesting when something else surprises.
    Debug,
}

impl HintCode {
    /// The published level of the code.
    pub fn level(self) -> HintLevel {
        match self {
            Self::InconsistentEnumValueForOutputEnum
            | Self::InconsistentInterfaceValueTypeField
            | Self::InconsistentObjectValueTypeField
            | Self::InconsistentUnionMember
            | Self::UnusedEnumType => HintLevel::Debug,
            Self::ContextualArgumentNotContextualInAllSubgraphs
            | Self::DirectiveCompositionInfo
            | Self::InconsistentButCompatibleArgumentType
            | Self::InconsistentButCompatibleFieldType
            | Self::InconsistentEntity
            | Self::MergedNonRepeatableDirectiveArguments
            | Self::OverriddenFieldCanBeRemoved
            | Self::OverrideDirectiveCanBeRemoved
            | Self::OverrideMigrationInProgress => HintLevel::Info,
            _ => HintLevel::Warn,
        }
    }
}
