//! Operations as trees that can be written and shrunk.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

/// One operation with its fragments and variables.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// Whether it is a mutation.
    pub mutation: bool,
    /// Variables: name, type, default, and the value sent if any.
    pub variables: Vec<Variable>,
    /// The selections at the top.
    pub selections: Vec<Selection>,
    /// Fragments: name, type condition, selections.
    pub fragments: Vec<(String, String, Vec<Selection>)>,
}

/// A variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Type as text.
    pub ty: String,
    /// Default as text.
    pub default: Option<String>,
    /// Value sent.
    pub value: Option<Json>,
}

/// `@skip` or `@include`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// `skip` or `include`.
    pub directive: &'static str,
    /// What stands after `if:`.
    pub value: String,
}

/// A selection.
#[derive(Debug, Clone)]
pub enum Selection {
    /// A field.
    Field {
        /// Alias.
        alias: Option<String>,
        /// Name.
        name: String,
        /// Arguments: names and values as text.
        arguments: Vec<(String, String)>,
        /// Conditions.
        conditions: Vec<Condition>,
        /// Below.
        below: Vec<Selection>,
    },
    /// An inline fragment.
    Inline {
        /// Type condition.
        on: Option<String>,
        /// Conditions.
        conditions: Vec<Condition>,
        /// Below.
        below: Vec<Selection>,
    },
    /// A spread.
    Spread {
        /// Name of the fragment.
        name: String,
        /// Conditions.
        conditions: Vec<Condition>,
    },
}

impl Selection {
    fn conditions(&self) -> &[Condition] {
        match self {
            Selection::Field { conditions, .. }
            | Selection::Inline { conditions, .. }
            | Selection::Spread { conditions, .. } => conditions,
        }
    }

    fn conditions_mut(&mut self) -> &mut Vec<Condition> {
        match self {
            Selection::Field { conditions, .. }
            | Selection::Inline { conditions, .. }
            | Selection::Spread { conditions, .. } => conditions,
        }
    }
}

impl Operation {
    /// GraphQL text. Fragments and variables that nothing uses are left out.
    pub fn text(&self) -> String {
        let mut body = String::new();
        write_selections(&self.selections, 1, &mut body);
        let mut fragments = String::new();
        let mut written: Vec<&str> = Vec::new();
        loop {
            let used = |name: &str| {
                [&body, &fragments]
                    .iter()
                    .any(|text| has_word(text, &format!("...{name}")))
            };
            let next = self
                .fragments
                .iter()
                .find(|(name, _, _)| !written.contains(&name.as_str()) && used(name));
            let Some((name, on, selections)) = next else { break };
            written.push(name);
            let _ = write!(fragments, "\nfragment {name} on {on} {{\n");
            write_selections(selections, 1, &mut fragments);
            fragments += "}\n";
        }
        let used = |variable: &&Variable| {
            [&body, &fragments]
                .iter()
                .any(|text| has_word(text, &format!("${}", variable.name)))
        };
        let definition = |variable: &Variable| {
            let default = variable
                .default
                .as_ref()
                .map(|default| format!(" = {default}"))
                .unwrap_or_default();
            format!("${}: {}{default}", variable.name, variable.ty)
        };
        let variables: Vec<_> = self.variables.iter().filter(used).map(definition).collect();
        let kind = if self.mutation { "mutation" } else { "query" };
        let variables = match variables.is_empty() {
            true => String::new(),
            false => format!(" ({})", variables.join(", ")),
        };
        format!("{kind}{variables} {{\n{body}}}\n{fragments}")
    }

    /// Values of the variables that are sent.
    pub fn variables(&self) -> Json {
        let text = self.text();
        let sent = self
            .variables
            .iter()
            .filter(|variable| has_word(&text, &format!("${}", variable.name)));
        let sent = sent.filter_map(|variable| Some((variable.name.clone(), variable.value.clone()?)));
        Json::Object(sent.collect::<Map<_, _>>())
    }

    /// Operations that are this one with something taken out, the largest parts first.
    pub fn smaller(&self) -> Vec<Operation> {
        let mut out = Vec::new();
        let mut lists: Vec<(Option<usize>, &Vec<Selection>)> = vec![(None, &self.selections)];
        lists.extend(
            self.fragments
                .iter()
                .enumerate()
                .map(|(index, fragment)| (Some(index), &fragment.2)),
        );
        for (fragment, list) in lists {
            for smaller in smaller_lists(list) {
                let mut operation = self.clone();
                match fragment {
                    None => operation.selections = smaller,
                    Some(index) => operation.fragments[index].2 = smaller,
                }
                out.push(operation);
            }
        }
        for fragment in &self.fragments {
            let mut operation = self.clone();
            let inlined = |list: &mut Vec<Selection>| inline_spreads(list, fragment);
            inlined(&mut operation.selections);
            operation
                .fragments
                .iter_mut()
                .for_each(|other| inline_spreads(&mut other.2, fragment));
            if operation.text() != self.text() {
                out.push(operation);
            }
        }
        for (index, variable) in self.variables.iter().enumerate() {
            if variable.value.is_some() && variable.default.is_some() {
                let mut operation = self.clone();
                operation.variables[index].default = None;
                out.push(operation);
            }
        }
        out
    }
}

fn inline_spreads(list: &mut [Selection], fragment: &(String, String, Vec<Selection>)) {
    for selection in list {
        match selection {
            Selection::Spread { name, conditions } if *name == fragment.0 => {
                *selection = Selection::Inline {
                    on: Some(fragment.1.clone()),
                    conditions: conditions.clone(),
                    below: fragment.2.clone(),
                };
            }
            Selection::Field { below, .. } | Selection::Inline { below, .. } => {
                inline_spreads(below, fragment)
            }
            Selection::Spread { .. } => {}
        }
    }
}

/// Every list that lacks one part of `list`.
fn smaller_lists(list: &[Selection]) -> Vec<Vec<Selection>> {
    let mut out = Vec::new();
    let with = |index: usize, replacement: Vec<Selection>| {
        let mut list = list.to_vec();
        list.splice(index..=index, replacement);
        list
    };
    if list.len() > 1 {
        for index in 0..list.len() {
            out.push(with(index, Vec::new()));
        }
    }
    for (index, selection) in list.iter().enumerate() {
        if let Selection::Inline { below, .. } = selection {
            out.push(with(index, below.clone()));
        }
        for smaller in smaller_selections(selection) {
            out.push(with(index, vec![smaller]));
        }
    }
    out
}

fn smaller_selections(selection: &Selection) -> Vec<Selection> {
    let mut out = Vec::new();
    let mut changed = |change: &dyn Fn(&mut Selection)| {
        let mut selection = selection.clone();
        change(&mut selection);
        out.push(selection);
    };
    if let Selection::Field { alias: Some(_), .. } = selection {
        changed(&|selection| {
            if let Selection::Field { alias, .. } = selection {
                *alias = None;
            }
        });
    }
    if let Selection::Field { arguments, .. } = selection {
        for index in 0..arguments.len() {
            changed(&|selection| {
                if let Selection::Field { arguments, .. } = selection {
                    arguments.remove(index);
                }
            });
        }
    }
    if !selection.conditions().is_empty() {
        changed(&|selection| selection.conditions_mut().clear());
    }
    if let Selection::Inline { on: Some(_), .. } = selection {
        changed(&|selection| {
            if let Selection::Inline { on, .. } = selection {
                *on = None;
            }
        });
    }
    if let Selection::Field { below, .. } | Selection::Inline { below, .. } = selection {
        for smaller in smaller_lists(below) {
            changed(&|selection| {
                if let Selection::Field { below, .. } | Selection::Inline { below, .. } = selection {
                    below.clone_from(&smaller);
                }
            });
        }
    }
    out
}

fn write_selections(selections: &[Selection], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for selection in selections {
        let (head, conditions, below) = match selection {
            Selection::Field {
                alias,
                name,
                arguments,
                conditions,
                below,
            } => {
                let alias = alias
                    .as_ref()
                    .map(|alias| format!("{alias}: "))
                    .unwrap_or_default();
                let arguments: Vec<_> = arguments
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                let arguments = match arguments.is_empty() {
                    true => String::new(),
                    false => format!("({})", arguments.join(", ")),
                };
                (format!("{alias}{name}{arguments}"), conditions, below.as_slice())
            }
            Selection::Inline {
                on,
                conditions,
                below,
            } => {
                let on = on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
                (format!("...{on}"), conditions, below.as_slice())
            }
            Selection::Spread { name, conditions } => (format!("...{name}"), conditions, [].as_slice()),
        };
        let _ = write!(out, "{indent}{head}");
        for condition in conditions {
            let _ = write!(out, " @{}(if: {})", condition.directive, condition.value);
        }
        if !below.is_empty() {
            *out += " {\n";
            write_selections(below, depth + 1, out);
            let _ = write!(out, "{indent}}}");
        }
        out.push('\n');
    }
}

/// Whether `word` stands in the text and does not go on.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let next = text[at + word.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_')
    })
}
