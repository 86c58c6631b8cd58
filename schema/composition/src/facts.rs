//! What federation directives say about the fields of one subgraph, computed once and asked often.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::Directive;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::field_set::FieldSet;
use crate::model::{FieldDef, Kind, Subgraph, TypeDef, string_argument};

/// A `@key`.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// As written.
    pub(crate) fields: String,
    pub(crate) set: FieldSet,
    pub(crate) resolvable: bool,
    pub(crate) directive: Node<Directive>,
}

type Coordinate = (Name, Name);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    keys: FxHashMap<Name, Vec<Key>>,
    key_fields: FxHashSet<Coordinate>,
    provided: FxHashSet<Coordinate>,
    used: FxHashSet<Coordinate>,
    fake_external: FxHashSet<Coordinate>,
    sets_contexts: bool,
}

impl Facts {
    pub(crate) fn of(subgraph: &Subgraph) -> Self {
        let mut facts = Self::default();
        for ty in subgraph.types.values() {
            facts.sets_contexts |= ty.directives.has("federation__context");
            facts.read_keys(subgraph, ty);
            facts.read_interfaces(subgraph, ty);
            for field in ty.fields.values() {
                facts.read_requires(subgraph, ty, field);
                facts.read_provides(subgraph, field);
            }
        }
        facts.read_context(subgraph);
        facts
    }

    /// The valid keys of a type, in order.
    pub(crate) fn keys(&self, ty: &str) -> &[Key] {
        self.keys.get(ty).map_or(&[], Vec::as_slice)
    }

    /// Whether any type of the subgraph sets a context.
    pub(crate) fn sets_contexts(&self) -> bool {
        self.sets_contexts
    }

    /// Declared `@external` in a way that means it: key fields of an extension do not.
    pub(crate) fn is_external(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        field.directives.has("federation__external") && !contains(&self.fake_external, ty, field)
    }

    /// External, but some path of the subgraph provides it.
    pub(crate) fn is_provided(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        contains(&self.provided, ty, field)
    }

    /// External and provided nowhere.
    pub(crate) fn is_fully_external(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        self.is_external(ty, field) && !self.is_provided(ty, field)
    }

    pub(crate) fn is_shareable(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        field.directives.has("federation__shareable") || self.is_key_field(ty, field)
    }

    pub(crate) fn is_key_field(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        contains(&self.key_fields, ty, field)
    }

    /// Mentioned in a field set of the subgraph, or needed to implement an interface.
    pub(crate) fn is_used(&self, ty: &TypeDef, field: &FieldDef) -> bool {
        contains(&self.used, ty, field)
    }

    fn read_keys(&mut self, subgraph: &Subgraph, ty: &TypeDef) {
        for directive in ty.directives.get_all("federation__key") {
            let Some(fields) = string_argument(directive, "fields") else {
                continue;
            };
            let Ok(set) = FieldSet::parse(fields) else {
                continue;
            };
            let valid = set.problems(subgraph, ty).is_empty();
            set.walk_implementations(subgraph, ty, &mut |parent, field| {
                if !valid {
                    return;
                }
                insert(&mut self.key_fields, parent, field);
                insert(&mut self.used, parent, field);
                if ty.is_federation_extension() && field.directives.has("federation__external") {
                    insert(&mut self.fake_external, parent, field);
                }
            });
            let resolvable = directive
                .specified_argument_by_name("resolvable")
                .and_then(|value| value.to_bool());
            self.keys.entry(ty.name.clone()).or_default().push(Key {
                fields: fields.to_owned(),
                set,
                resolvable: resolvable.unwrap_or(true),
                directive: directive.clone(),
            });
        }
    }

    fn read_requires(&mut self, subgraph: &Subgraph, ty: &TypeDef, field: &FieldDef) {
        if let Some(set) = field_set_of(field, "federation__requires")
            && set.problems(subgraph, ty).is_empty()
        {
            set.walk_implementations(subgraph, ty, &mut |parent, field| {
                insert(&mut self.used, parent, field)
            });
        }
    }

    fn read_provides(&mut self, subgraph: &Subgraph, field: &FieldDef) {
        let Some(set) = field_set_of(field, "federation__provides") else {
            return;
        };
        let Some(target) = subgraph.types.get(field.ty.inner_named_type()) else {
            return;
        };
        if !set.problems(subgraph, target).is_empty() {
            return;
        }
        set.walk_implementations(subgraph, target, &mut |parent, field| {
            insert(&mut self.used, parent, field);
            insert(&mut self.provided, parent, field);
        });
    }

    /// A field is used where the type implements an interface that has it.
    fn read_interfaces(&mut self, subgraph: &Subgraph, ty: &TypeDef) {
        for interface in ty.implements.iter().filter_map(|name| subgraph.types.get(name)) {
            if ty.kind == Kind::Object {
                self.used.extend(
                    interface
                        .fields
                        .keys()
                        .map(|field| (ty.name.clone(), field.clone())),
                );
            }
        }
    }

    /// Fields selected from a context count as used, on every type that sets it.
    fn read_context(&mut self, subgraph: &Subgraph) {
        for ty in subgraph.types.values() {
            for argument in ty.fields.values().flat_map(|field| field.arguments.values()) {
                let Some(text) = from_context(&argument.directives) else {
                    continue;
                };
                let Some((context, selection)) = split_context(text) else {
                    continue;
                };
                let Ok(set) = FieldSet::parse(selection) else {
                    continue;
                };
                for setter in subgraph.types.values().filter(|ty| sets_context(ty, context)) {
                    set.walk_implementations(subgraph, setter, &mut |parent, field| {
                        insert(&mut self.used, parent, field);
                    });
                }
            }
        }
    }
}

/// The text of an argument's `@fromContext(field:)`.
pub(crate) fn from_context(directives: &apollo_compiler::ast::DirectiveList) -> Option<&str> {
    string_argument(directives.get("federation__fromContext")?, "field")
}

/// Splits `$name selection`.
pub(crate) fn split_context(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim().strip_prefix('$')?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    Some((&rest[..end], rest[end..].trim()))
}

/// Whether the type is a place where the context is set.
pub(crate) fn sets_context(ty: &TypeDef, context: &str) -> bool {
    ty.directives
        .get_all("federation__context")
        .any(|directive| string_argument(directive, "name") == Some(context))
}

/// The parsed `fields` of a directive on a field.
pub(crate) fn field_set_of(field: &FieldDef, directive: &str) -> Option<FieldSet> {
    FieldSet::parse(string_argument(field.directives.get(directive)?, "fields")?).ok()
}

fn insert(set: &mut FxHashSet<Coordinate>, ty: &TypeDef, field: &FieldDef) {
    set.insert((ty.name.clone(), field.name.clone()));
}

fn contains(set: &FxHashSet<Coordinate>, ty: &TypeDef, field: &FieldDef) -> bool {
    !set.is_empty() && set.contains(&(ty.name.clone(), field.name.clone()))
}
