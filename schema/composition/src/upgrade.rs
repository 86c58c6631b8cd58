//! Federation 1 subgraphs, upgraded to what they mean in Federation 2: value types and repeated fields are
//! shareable, key fields of extensions are not external, and what never had an effect disappears.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::facts::{Facts, field_set_of};
use crate::field_set::{FieldItem, FieldSet, Item};
use crate::join;
use crate::model::{Kind, Subgraph, TypeDef};

/// Upgrades every Federation 1 subgraph, looking at all others.
pub(crate) fn upgrade_federation1(subgraphs: &mut [Subgraph], errors: &mut Vec<Diagnostic>) {
    if !subgraphs.iter().any(|subgraph| subgraph.federation1) {
        return;
    }
    for subgraph in subgraphs.iter_mut().filter(|subgraph| subgraph.federation1) {
        coerce_field_sets(subgraph);
    }
    let original = Original::of(subgraphs);
    for (index, subgraph) in subgraphs
        .iter_mut()
        .enumerate()
        .filter(|(_, subgraph)| subgraph.federation1)
    {
        upgrade(index, subgraph, &original, errors);
    }
    check_interface_objects(subgraphs, &original, errors);
}

/// What the subgraphs declared before any of them was upgraded.
struct Original {
    /// The declarations of each object and interface type: subgraph and type.
    types: FxHashMap<Name, Vec<(usize, TypeDef)>>,
    facts: Vec<Facts>,
    interface_keys: Vec<FxHashSet<Name>>,
}

impl Original {
    fn of(subgraphs: &[Subgraph]) -> Self {
        let mut types: FxHashMap<Name, Vec<(usize, TypeDef)>> = FxHashMap::default();
        let mut interface_keys = Vec::new();
        for (index, subgraph) in subgraphs.iter().enumerate() {
            for ty in subgraph
                .types
                .values()
                .filter(|ty| matches!(ty.kind, Kind::Object | Kind::Interface))
            {
                types
                    .entry(ty.name.clone())
                    .or_default()
                    .push((index, ty.clone()));
            }
            let keyed = subgraph.types.values().filter(|ty| {
                subgraph.federation1 && ty.kind == Kind::Interface && ty.directives.has("federation__key")
            });
            interface_keys.push(keyed.map(|ty| ty.name.clone()).collect());
        }
        Self {
            types,
            facts: subgraphs.iter().map(Facts::of).collect(),
            interface_keys,
        }
    }

    /// The declarations of a type in subgraphs other than `index`.
    fn elsewhere(&self, name: &str, index: usize) -> impl Iterator<Item = (usize, &TypeDef)> {
        let declared = self.types.get(name).map_or(&[][..], Vec::as_slice);
        declared
            .iter()
            .filter(move |(other, _)| *other != index)
            .map(|(other, ty)| (*other, ty))
    }
}

fn upgrade(index: usize, subgraph: &mut Subgraph, original: &Original, errors: &mut Vec<Diagnostic>) {
    check_extensions_have_a_base(index, subgraph, original, errors);
    remove_directives_without_effect(subgraph);
    make_extension_keys_resolved(index, subgraph, original);
    for ty in subgraph.types.values_mut() {
        ty.extension = false;
    }
    remove_inactive_selections(subgraph);
    remove_unused_externals(subgraph, errors);
    add_shareable(index, subgraph, original);
    remove_tags_on_externals(subgraph);
}

/// Federation 1 took lists of strings, and enum values, for field sets.
fn coerce_field_sets(subgraph: &mut Subgraph) {
    for ty in subgraph.types.values_mut() {
        ty.directives.iter_mut().for_each(coerce_fields);
        ty.fields
            .values_mut()
            .flat_map(|field| field.directives.iter_mut())
            .for_each(coerce_fields);
    }
}

fn coerce_fields(directive: &mut Node<Directive>) {
    let takes_fields = ["federation__key", "federation__requires", "federation__provides"];
    if !takes_fields.contains(&directive.name.as_str()) {
        return;
    }
    let text = match directive
        .specified_argument_by_name("fields")
        .map(|value| &**value)
    {
        Some(Value::Enum(name)) => name.to_string(),
        Some(Value::List(items)) if items.iter().all(|item| item.as_str().is_some()) => items
            .iter()
            .filter_map(|item| item.as_str())
            .collect::<Vec<_>>()
            .join(" "),
        _ => return,
    };
    if let Some(value) = directive.make_mut().specified_argument_by_name_mut("fields") {
        *value = Node::new(Value::String(text));
    }
}

fn check_extensions_have_a_base(
    index: usize,
    subgraph: &Subgraph,
    original: &Original,
    errors: &mut Vec<Diagnostic>,
) {
    for ty in subgraph.types.values() {
        if ty.is_root() || !ty.is_federation_extension() || !matches!(ty.kind, Kind::Object | Kind::Interface)
        {
            continue;
        }
        if !original
            .elsewhere(&ty.name, index)
            .any(|(_, other)| !other.extension)
        {
            let message = format!("type \"{}\" is extended, but no subgraph defines it", ty.name);
            errors.push(subgraph.error(Code::ExtensionWithNoBase, ty.span, message));
        }
    }
}

/// `@external` on types and interface fields, keys and field sets on interfaces, `@provides` on leaves.
fn remove_directives_without_effect(subgraph: &mut Subgraph) {
    let composite: FxHashSet<Name> = subgraph
        .types
        .values()
        .filter(|ty| ty.kind.is_composite())
        .map(|ty| ty.name.clone())
        .collect();
    for ty in subgraph.types.values_mut() {
        let interface = ty.kind == Kind::Interface;
        let of_type = ty
            .directives
            .get("federation__external")
            .map(|directive| directive.location());
        ty.directives.retain(|directive| {
            directive.name != "federation__external" && !(interface && directive.name == "federation__key")
        });
        for field in ty.fields.values_mut() {
            let leaf = !composite.contains(field.ty.inner_named_type());
            field
                .directives
                .retain(|directive| match directive.name.as_str() {
                    "federation__external" => !interface && of_type != Some(directive.location()),
                    "federation__requires" => !interface,
                    "federation__provides" => !interface && !leaf,
                    _ => true,
                });
        }
    }
}

/// In an extension, `@external` on a key field only says that another subgraph has it too.
fn make_extension_keys_resolved(index: usize, subgraph: &mut Subgraph, original: &Original) {
    let mut resolved: Vec<(Name, Name)> = Vec::new();
    for ty in subgraph.types.values().filter(|ty| ty.is_federation_extension()) {
        let own: Vec<_> = original.facts[index].keys(&ty.name).iter().collect();
        // Without keys of its own, an extension has the first one of each other subgraph.
        let keys = if own.is_empty() {
            original
                .elsewhere(&ty.name, index)
                .filter_map(|(other, _)| original.facts[other].keys(&ty.name).first())
                .collect()
        } else {
            own
        };
        resolved.extend(
            keys.iter()
                .flat_map(|key| key.set.top_level())
                .map(|field| (ty.name.clone(), field.clone())),
        );
    }
    for (ty, field) in resolved {
        if let Some(field) = subgraph
            .types
            .get_mut(&ty)
            .and_then(|ty| ty.fields.get_mut(&field))
        {
            field
                .directives
                .retain(|directive| directive.name != "federation__external");
        }
    }
}

/// Federation 1 ignored what `@requires` and `@provides` select of fields that the subgraph resolves itself.
fn remove_inactive_selections(subgraph: &mut Subgraph) {
    let facts = Facts::of(subgraph);
    let mut changes = Vec::new();
    for ty in subgraph.types.values() {
        for field in ty.fields.values() {
            for (directive, parent) in [
                ("federation__requires", Some(ty)),
                (
                    "federation__provides",
                    subgraph.types.get(field.ty.inner_named_type()),
                ),
            ] {
                let (Some(set), Some(parent)) = (field_set_of(field, directive), parent) else {
                    continue;
                };
                if !set.problems(subgraph, parent).is_empty() {
                    continue;
                }
                let active = active_part(&set, subgraph, &facts, parent);
                if active != set {
                    changes.push((ty.name.clone(), field.name.clone(), directive, active));
                }
            }
        }
    }
    for (ty, field, directive, active) in changes {
        let field = subgraph
            .types
            .get_mut(&ty)
            .and_then(|ty| ty.fields.get_mut(&field));
        let field = field.expect("changes name fields of the subgraph");
        if active.is_empty() {
            field.directives.retain(|applied| applied.name != directive);
        } else if let Some(applied) = field
            .directives
            .iter_mut()
            .find(|applied| applied.name == directive)
            && let Some(value) = applied.make_mut().specified_argument_by_name_mut("fields")
        {
            *value = Node::new(Value::String(active.to_string()));
        }
    }
}

/// The set without leaves that are not external.
fn active_part(set: &FieldSet, subgraph: &Subgraph, facts: &Facts, parent: &TypeDef) -> FieldSet {
    let part = set.0.iter().filter_map(|item| match item {
        Item::Field(item) => {
            let field = parent.fields.get(&item.name)?;
            if facts.is_external(parent, field) || (parent.kind == Kind::Interface && item.sub.is_empty()) {
                return Some(Item::Field(item.clone()));
            }
            let target = subgraph.types.get(field.ty.inner_named_type())?;
            let sub = active_part(&item.sub, subgraph, facts, target);
            (!sub.is_empty()).then(|| Item::Field(FieldItem { sub, ..item.clone() }))
        }
        Item::Fragment { on, directives, sub } => {
            let target = subgraph.types.get(on.as_ref().unwrap_or(&parent.name))?;
            let sub = active_part(sub, subgraph, facts, target);
            (!sub.is_empty()).then(|| Item::Fragment {
                on: on.clone(),
                directives: *directives,
                sub,
            })
        }
    });
    FieldSet(part.collect())
}

fn remove_unused_externals(subgraph: &mut Subgraph, errors: &mut Vec<Diagnostic>) {
    let facts = Facts::of(subgraph);
    let referenced: FxHashSet<Name> = subgraph
        .types
        .values()
        .flat_map(|ty| {
            ty.fields
                .values()
                .map(|field| field.ty.inner_named_type().clone())
                .chain(ty.members.iter().cloned())
        })
        .collect();
    let mut emptied = Vec::new();
    for ty in subgraph.types.values_mut().filter(|ty| ty.kind == Kind::Object) {
        let had_fields = !ty.fields.is_empty();
        let declared = ty.clone();
        ty.fields
            .retain(|_, field| !facts.is_external(&declared, field) || facts.is_used(&declared, field));
        if had_fields && ty.fields.is_empty() {
            emptied.push(ty.name.clone());
        }
    }
    for name in emptied {
        if referenced.contains(&name) {
            let message = format!("type \"{name}\" has only external fields, none of which is used");
            errors.push(subgraph.error(
                Code::TypeWithOnlyUnusedExternal,
                subgraph.types[&name].span,
                message,
            ));
        }
        subgraph.types.remove(&name);
    }
}

/// Value types shared with others become `@shareable`, and so do fields of entities that others resolve too.
fn add_shareable(index: usize, subgraph: &mut Subgraph, original: &Original) {
    let facts = &original.facts[index];
    for ty in subgraph.types.values_mut() {
        if ty.kind != Kind::Object || ty.name == "Subscription" {
            continue;
        }
        let entity = ty.is_root() || ty.directives.has("federation__key");
        let shared_type = original.elsewhere(&ty.name, index).next().is_some();
        let declared = ty.clone();
        for field in ty.fields.values_mut() {
            let resolved_elsewhere = || {
                original.elsewhere(&declared.name, index).any(|(other, ty)| {
                    ty.fields
                        .get(&field.name)
                        .is_some_and(|field| !original.facts[other].is_fully_external(ty, field))
                })
            };
            let shared = if entity {
                !facts.is_shareable(&declared, field) && resolved_elsewhere()
            } else {
                shared_type
            };
            if shared && !field.directives.has("federation__shareable") {
                field
                    .directives
                    .push(join::directive("federation__shareable", Vec::new()));
            }
        }
    }
}

/// A tag on an external field means the field itself, which has it where it is resolved.
fn remove_tags_on_externals(subgraph: &mut Subgraph) {
    for field in subgraph.types.values_mut().flat_map(|ty| ty.fields.values_mut()) {
        if field.directives.has("federation__external") {
            field
                .directives
                .retain(|directive| directive.name != "federation__tag");
        }
    }
}

/// A Federation 1 interface with a key cannot tell the type of an entity, which interface objects need.
fn check_interface_objects(subgraphs: &[Subgraph], original: &Original, errors: &mut Vec<Diagnostic>) {
    for subgraph in subgraphs.iter().filter(|subgraph| !subgraph.federation1) {
        for ty in subgraph.types.values().filter(|ty| ty.is_interface_object()) {
            for (index, _) in original
                .interface_keys
                .iter()
                .enumerate()
                .filter(|(_, keys)| keys.contains(&ty.name))
            {
                let message = format!(
                    "\"{}\" is an interface object, which needs its interface's key in Federation 2 subgraphs; \"{}\" is one of Federation 1",
                    ty.name, subgraphs[index].name
                );
                errors.push(subgraph.error(Code::InterfaceObjectUsageError, ty.span, message));
            }
        }
    }
}

impl FieldSet {
    /// Names of the fields selected at the top.
    fn top_level(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|item| match item {
            Item::Field(field) => Some(&field.name),
            Item::Fragment { .. } => None,
        })
    }
}
