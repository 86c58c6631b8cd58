//! `@override`: which declarations of a field lose to another subgraph's, at once or progressively by label.

use super::field::FieldSources;
use super::{Merger, Source};
use crate::code::{Code, HintCode};
use crate::model::{FieldDef, Kind, string_argument};

/// What overriding means for each subgraph that declares the field.
#[derive(Default)]
pub(super) struct Overrides {
    /// Subgraphs whose field another resolves, and which mention it nowhere themselves.
    unused: Vec<usize>,
    /// Subgraphs whose field another resolves, but which still need it in their own field sets or interfaces.
    used: Vec<usize>,
    labels: Vec<(usize, String)>,
}

impl Overrides {
    /// Another subgraph resolves the field: for good, or (with a label) for some requests.
    pub(super) fn is_overridden(&self, index: usize) -> bool {
        self.unused.contains(&index) || self.used.contains(&index)
    }

    /// Nothing of the subgraph's declaration remains in the supergraph.
    pub(super) fn is_gone(&self, index: usize) -> bool {
        self.unused.contains(&index) && self.label_of(index).is_none()
    }

    /// Overridden (or on its way), but still mentioned by the subgraph itself.
    pub(super) fn is_used_overridden(&self, index: usize) -> bool {
        self.used.contains(&index)
    }

    pub(super) fn label_of(&self, index: usize) -> Option<&str> {
        let labelled = self.labels.iter().find(|(other, _)| *other == index);
        labelled.map(|(_, label)| label.as_str())
    }
}

/// One `@override`.
struct Override<'a> {
    index: usize,
    field: &'a FieldDef,
    from: &'a str,
    label: Option<&'a str>,
}

impl<'a> Merger<'a> {
    /// Reads and checks every `@override` of the field.
    pub(super) fn overrides(&mut self, sources: &FieldSources<'a>) -> Overrides {
        let mut overrides = Overrides::default();
        for &(index, field) in &sources.fields {
            let Some(directive) = field.directives.get("federation__override") else {
                continue;
            };
            let Some(from) = string_argument(directive, "from") else {
                continue;
            };
            let applied = Override {
                index,
                field,
                from,
                label: string_argument(directive, "label"),
            };
            match self.override_misused(sources, &applied) {
                Some((code, message)) => self.error(code, (index, field), message),
                None => self.apply_override(sources, &applied, &mut overrides),
            }
        }
        overrides
    }

    /// What is wrong where the override itself cannot be.
    fn override_misused(&self, sources: &FieldSources<'a>, applied: &Override<'_>) -> Option<(Code, String)> {
        let coordinate = sources.coordinate();
        let ty = sources.declaring_type(applied.index);
        let name = &self.subgraph(applied.index).name;
        if ty.kind == Kind::Interface {
            let message =
                format!("\"{coordinate}\" is a field of an interface, which @override cannot take over");
            return Some((Code::OverrideOnInterface, message));
        }
        if ty.is_interface_object() {
            let message = format!(
                "\"{coordinate}\" cannot be both @override and @interfaceObject in subgraph \"{name}\""
            );
            return Some((Code::OverrideCollisionWithAnotherDirective, message));
        }
        if applied.from == name {
            let message = format!(
                "\"{coordinate}\" overrides itself: \"{}\" is its own subgraph",
                applied.from
            );
            return Some((Code::OverrideFromSelfError, message));
        }
        self.override_conflict(sources, applied)
    }

    /// What is wrong with what is overridden.
    fn override_conflict(
        &self,
        sources: &FieldSources<'a>,
        applied: &Override<'_>,
    ) -> Option<(Code, String)> {
        let coordinate = sources.coordinate();
        let Override { index, from, .. } = *applied;
        let Some((_, source)) = self.field_in(sources, from) else {
            let interface = self.abstracting_interface(sources, from)?;
            let message = format!(
                "\"{coordinate}\" cannot override subgraph \"{from}\", which has the field only by its interface object \"{interface}\""
            );
            return Some((Code::OverrideCollisionWithAnotherDirective, message));
        };
        if source.directives.has("federation__override") {
            let message =
                format!("\"{coordinate}\" overrides subgraph \"{from}\", which overrides that field itself");
            return Some((Code::OverrideSourceHasOverride, message));
        }
        let conflicts = [
            ("federation__requires", "@requires"),
            ("federation__provides", "@provides"),
        ];
        if let Some((_, other)) = conflicts.iter().find(|(name, _)| source.directives.has(name)) {
            let message =
                format!("\"{coordinate}\" cannot override subgraph \"{from}\", where the field is {other}");
            return Some((Code::OverrideCollisionWithAnotherDirective, message));
        }
        if self
            .facts(index)
            .is_external(sources.declaring_type(index), applied.field)
        {
            let message = format!(
                "\"{coordinate}\" cannot be both @override and @external in subgraph {}",
                self.names([index])
            );
            return Some((Code::OverrideCollisionWithAnotherDirective, message));
        }
        None
    }

    fn apply_override(
        &mut self,
        sources: &FieldSources<'a>,
        applied: &Override<'_>,
        overrides: &mut Overrides,
    ) {
        let coordinate = sources.coordinate();
        let Override {
            index,
            field,
            from,
            label,
        } = *applied;
        if !self.members.iter().any(|member| member.subgraph.name == from) {
            let message = format!("\"{coordinate}\" overrides subgraph \"{from}\", which does not exist");
            return self.hint(HintCode::FromSubgraphDoesNotExist, (index, field), message);
        }
        let Some((source_index, source)) = self.field_in(sources, from) else {
            let message = format!(
                "\"{coordinate}\" overrides subgraph \"{from}\", which does not have the field (any more)"
            );
            return self.hint(HintCode::OverrideDirectiveCanBeRemoved, (index, field), message);
        };
        let declaring = sources.declaring_type(source_index);
        if self.facts(source_index).is_external(declaring, source) {
            let message = format!(
                "\"{coordinate}\" overrides subgraph \"{from}\", which does not resolve the field (any more)"
            );
            self.hint(HintCode::OverrideDirectiveCanBeRemoved, (index, field), message);
        } else {
            let used = self.facts(source_index).is_used(declaring, source);
            if used {
                overrides.used.push(source_index);
            } else {
                overrides.unused.push(source_index);
            }
            if label.is_none() {
                let message = format!(
                    "\"{coordinate}\" of subgraph \"{from}\" is overridden and resolves nothing any more{}",
                    if used {
                        ", but the subgraph still mentions it"
                    } else {
                        ""
                    }
                );
                self.hint(
                    HintCode::OverriddenFieldCanBeRemoved,
                    (source_index, source),
                    message,
                );
            }
        }
        if let Some(label) = label {
            self.apply_label(sources, applied, (source_index, source), label, overrides);
        }
    }

    fn apply_label(
        &mut self,
        sources: &FieldSources<'a>,
        applied: &Override<'_>,
        (source_index, source): Source<'_, FieldDef>,
        label: &str,
        overrides: &mut Overrides,
    ) {
        let coordinate = sources.coordinate();
        if is_label(label) {
            overrides.labels.push((applied.index, label.to_owned()));
            overrides.labels.push((source_index, label.to_owned()));
        } else {
            let message = format!(
                "override label \"{label}\" of \"{coordinate}\" is neither a name nor percent(0 to 100)"
            );
            self.error(
                Code::OverrideLabelInvalid,
                (applied.index, applied.field),
                message,
            );
        }
        let message = format!(
            "\"{coordinate}\" moves away from subgraph \"{}\" by override label",
            applied.from
        );
        self.hint(
            HintCode::OverrideMigrationInProgress,
            (source_index, source),
            message,
        );
    }

    /// The subgraph's own declaration of the field.
    fn field_in<'s>(&self, sources: &FieldSources<'s>, subgraph: &str) -> Option<Source<'s, FieldDef>> {
        let mut declared = sources.fields.iter().copied();
        declared.find(|(index, _)| self.subgraph(*index).name == subgraph)
    }

    /// The interface object by which a subgraph without the type has the field of all its implementations.
    fn abstracting_interface(&self, sources: &FieldSources<'a>, subgraph: &str) -> Option<String> {
        let index = self
            .members
            .iter()
            .position(|member| member.subgraph.name == subgraph)?;
        let fields = self.abstracted_fields(&sources.ty, &sources.name, index);
        fields.first().map(|(ty, _)| ty.name.to_string())
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
