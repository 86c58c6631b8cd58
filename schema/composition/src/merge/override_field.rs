//! `@override`: which declarations of a field lose to another subgraph's, at once or progressively by label.

use super::Merger;
use super::field::FieldSources;
use crate::diagnostic::{Code, Diagnostic, Hint};
use crate::model::{FieldDef, Kind, string_argument};

/// What overriding means for each subgraph that declares the field.
#[derive(Default)]
pub(super) struct Overrides {
    /// Subgraphs whose field another resolves for good.
    removed: Vec<usize>,
    /// Those of them that still need the field in their own field sets.
    used: Vec<usize>,
    /// Overriding subgraph and the name of the one it overrides.
    sources: Vec<(usize, String)>,
    labels: Vec<(usize, String)>,
    misused: bool,
}

impl Overrides {
    /// The subgraph does not resolve the field any more.
    pub(super) fn is_removed(&self, index: usize) -> bool {
        self.removed.contains(&index)
    }

    /// An `@override` was refused, so that nothing follows about who resolves the field.
    pub(super) fn is_misused(&self) -> bool {
        self.misused
    }

    /// Nothing of the subgraph's declaration remains in the supergraph.
    pub(super) fn is_gone(&self, index: usize) -> bool {
        self.is_removed(index) && !self.used.contains(&index)
    }

    /// Overridden (or on its way), but still mentioned by the subgraph itself.
    pub(super) fn is_used_overridden(&self, index: usize) -> bool {
        self.used.contains(&index)
    }

    pub(super) fn source_of(&self, index: usize) -> Option<&str> {
        lookup(&self.sources, index)
    }

    pub(super) fn label_of(&self, index: usize) -> Option<&str> {
        lookup(&self.labels, index)
    }
}

fn lookup(pairs: &[(usize, String)], index: usize) -> Option<&str> {
    pairs
        .iter()
        .find(|(other, _)| *other == index)
        .map(|(_, value)| value.as_str())
}

impl Merger<'_> {
    pub(super) fn overrides(&mut self, sources: &FieldSources<'_>) -> Overrides {
        let mut overrides = Overrides::default();
        for &(index, field) in &sources.fields {
            let Some(directive) = field.directives.get("federation__override") else {
                continue;
            };
            let Some(from) = string_argument(directive, "from") else {
                continue;
            };
            let label = string_argument(directive, "label");
            if let Some(error) = self.override_misused(sources, index, field, from, label) {
                self.errors.push(error);
                overrides.misused = true;
                continue;
            }
            // Overriding a subgraph that does not exist (any more) overrides nothing.
            if self.members.iter().any(|member| member.subgraph.name == from) {
                overrides.sources.push((index, from.to_owned()));
            }
            if let Some(label) = label {
                overrides.labels.push((index, label.to_owned()));
            }
            self.apply_override(sources, from, label, &mut overrides);
        }
        overrides
    }

    fn override_misused(
        &self,
        sources: &FieldSources<'_>,
        index: usize,
        field: &FieldDef,
        from: &str,
        label: Option<&str>,
    ) -> Option<Diagnostic> {
        let coordinate = sources.coordinate();
        let subgraph = self.subgraph(index);
        let error = |code, message: String| Some(subgraph.error(code, field.span, message));
        let ty = sources.declaring_type(index);
        if ty.kind == Kind::Interface {
            let message =
                format!("\"{coordinate}\" is a field of an interface, which @override cannot take over");
            return error(Code::OverrideOnInterface, message);
        }
        let conflicts = [
            ("@external", self.facts(index).is_external(ty, field)),
            ("@interfaceObject", ty.is_interface_object()),
        ];
        if let Some((other, _)) = conflicts.iter().find(|(_, found)| *found) {
            let message = format!(
                "\"{coordinate}\" cannot be both @override and {other} in subgraph \"{}\"",
                subgraph.name
            );
            return error(Code::OverrideCollisionWithAnotherDirective, message);
        }
        if from == subgraph.name {
            return error(
                Code::OverrideFromSelfError,
                format!("\"{coordinate}\" overrides itself: \"{from}\" is its own subgraph"),
            );
        }
        if let Some(label) = label.filter(|label| !is_label(label)) {
            let message = format!(
                "override label \"{label}\" of \"{coordinate}\" is neither a name nor percent(0 to 100)"
            );
            return error(Code::OverrideLabelInvalid, message);
        }
        let &(_, source) = sources
            .fields
            .iter()
            .find(|(other, _)| self.subgraph(*other).name == from)?;
        if source.directives.has("federation__override") {
            let message =
                format!("\"{coordinate}\" overrides subgraph \"{from}\", which overrides that field itself");
            return error(Code::OverrideSourceHasOverride, message);
        }
        let conflicts = [
            ("federation__requires", "@requires"),
            ("federation__provides", "@provides"),
        ];
        if let Some((_, other)) = conflicts.iter().find(|(name, _)| source.directives.has(name)) {
            let message =
                format!("\"{coordinate}\" cannot override subgraph \"{from}\", where the field is {other}");
            return error(Code::OverrideCollisionWithAnotherDirective, message);
        }
        None
    }

    fn apply_override(
        &mut self,
        sources: &FieldSources<'_>,
        from: &str,
        label: Option<&str>,
        overrides: &mut Overrides,
    ) {
        let coordinate = sources.coordinate();
        if !self.members.iter().any(|member| member.subgraph.name == from) {
            let message = format!("\"{coordinate}\" overrides subgraph \"{from}\", which does not exist");
            self.hints.push(Hint {
                code: "FROM_SUBGRAPH_DOES_NOT_EXIST",
                message,
            });
        }
        let Some(&(index, field)) = sources
            .fields
            .iter()
            .find(|(other, _)| self.subgraph(*other).name == from)
        else {
            let message = format!(
                "\"{coordinate}\" overrides subgraph \"{from}\", which does not have the field (any more)"
            );
            self.hints.push(Hint {
                code: "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
                message,
            });
            return;
        };
        if self
            .facts(index)
            .is_external(sources.declaring_type(index), field)
        {
            let message = format!(
                "\"{coordinate}\" overrides subgraph \"{from}\", which does not resolve the field (any more)"
            );
            self.hints.push(Hint {
                code: "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
                message,
            });
            return;
        }
        if let Some(label) = label {
            overrides.labels.push((index, label.to_owned()));
            if self.facts(index).is_used(sources.declaring_type(index), field) {
                overrides.used.push(index);
            }
            let message = format!("\"{coordinate}\" moves away from subgraph \"{from}\" by override label");
            self.hints.push(Hint {
                code: "OVERRIDE_MIGRATION_IN_PROGRESS",
                message,
            });
            return;
        }
        overrides.removed.push(index);
        if self.facts(index).is_used(sources.declaring_type(index), field) {
            overrides.used.push(index);
        }
        let message =
            format!("\"{coordinate}\" of subgraph \"{from}\" is overridden and resolves nothing any more");
        self.hints.push(Hint {
            code: "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
            message,
        });
    }
}

/// A free label, or `percent(x)` with x from 0 to 100 and at most eight decimals.
fn is_label(label: &str) -> bool {
    if let Some(percent) = label
        .strip_prefix("percent(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
        let digits =
            |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        return percent == "100" || (digits(whole, 2) && digits(decimals, 8));
    }
    label.starts_with(|c: char| c.is_ascii_alphabetic())
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-:./".contains(c))
}
