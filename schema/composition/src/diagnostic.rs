//! Composition diagnostics: codes of the federation error catalogue, and where in which subgraph they were found.

use std::fmt;

use apollo_compiler::parser::{SourceMap, SourceSpan};

macro_rules! codes {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        $vis enum $name { $(#[doc = concat!("`", $text, "`")] $variant),+ }

        impl $name {
            /// The published spelling of the code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

codes! {
    /// The published codes of composition errors.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Code {
        AuthRequirementsAppliedOnInterface = "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
        ContextInvalidSelection = "CONTEXT_INVALID_SELECTION",
        ContextNameInvalid = "CONTEXT_NAME_INVALID",
        ContextNoResolvableKey = "CONTEXT_NO_RESOLVABLE_KEY",
        ContextNotSet = "CONTEXT_NOT_SET",
        ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
        CostAppliedToInterfaceField = "COST_APPLIED_TO_INTERFACE_FIELD",
        DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
        DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
        DirectiveDefinitionInvalid = "DIRECTIVE_DEFINITION_INVALID",
        EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
        EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
        EnumValueMismatch = "ENUM_VALUE_MISMATCH",
        ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
        ExternalArgumentDefaultMismatch = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
        ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
        ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
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
        TypeKindMismatch = "TYPE_KIND_MISMATCH",
        TypeWithOnlyUnusedExternal = "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
        UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One composition error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The published code.
    pub code: Code,
    /// What is wrong, in words.
    pub message: String,
    /// The subgraph it was found in; absent where only the whole graph is wrong.
    pub subgraph: Option<String>,
    /// The file of that subgraph, as given by the caller.
    pub file: Option<String>,
    /// Line in the subgraph's SDL, from 1.
    pub line: Option<usize>,
    /// Column in the subgraph's SDL, from 1.
    pub column: Option<usize>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(subgraph) = &self.subgraph {
            write!(f, " [{subgraph}")?;
            if let Some(file) = self.file.as_ref().filter(|file| *file != subgraph) {
                write!(f, " {file}")?;
            }
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, " {line}:{column}")?;
            }
            f.write_str("]")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Something worth knowing about a graph that composes: never fatal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hint {
    /// The published hint code.
    pub code: &'static str,
    /// What was found and what the supergraph will hold.
    pub message: String,
}

/// Where a diagnostic of one subgraph gets its file, line and column from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) subgraph: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) sources: &'a SourceMap,
}

impl Origin<'_> {
    /// A diagnostic of this subgraph at `span`.
    pub(crate) fn error(
        &self,
        code: Code,
        span: Option<SourceSpan>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let position = span.and_then(|span| span.line_column(self.sources));
        Diagnostic {
            code,
            message: message.into(),
            subgraph: Some(self.subgraph.to_owned()),
            file: self.file.map(str::to_owned),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
        }
    }
}

/// A diagnostic about the composed graph as a whole.
pub(crate) fn graph_error(code: Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        code,
        message: message.into(),
        subgraph: None,
        file: None,
        line: None,
        column: None,
    }
}
