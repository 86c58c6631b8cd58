//! Which elements of the schema clients see stay in a contract.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::InputValueDefinition;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashSet;

use crate::contract::{Contract, ContractError};
use crate::coordinate::Coordinate;
use crate::diff::tags::tags;

/// The elements that stay.
pub(super) struct Visible {
    types: FxHashSet<Name>,
    members: FxHashSet<(Name, Name)>,
    hidden_arguments: FxHashSet<(Name, Name, Name)>,
}

impl Visible {
    pub(super) fn of(supergraph: &Schema, api: &Schema, contract: &Contract) -> Result<Self, ContractError> {
        let filter = Filter {
            tags: tags(supergraph),
            contract,
        };
        filter.check_tags()?;
        let mut visible = filter.select(api);
        // What a hidden type leaves behind may hide more, until nothing changes.
        while visible.drop_dangling(api) {}
        visible.check_required(api)?;
        if !contract.include.is_empty() {
            visible.keep_reachable(api);
        }
        let query = api.schema_definition.query.as_ref();
        match query.filter(|query| visible.types.contains(&query.name)) {
            Some(_) => Ok(visible),
            None => Err(ContractError::NoQuery),
        }
    }

    pub(super) fn has_type(&self, ty: &Name) -> bool {
        self.types.contains(ty)
    }

    pub(super) fn has_member(&self, ty: &Name, member: &Name) -> bool {
        self.members.contains(&(ty.clone(), member.clone()))
    }

    pub(super) fn hides_argument(&self, ty: &Name, field: &Name, argument: &Name) -> bool {
        self.hidden_arguments
            .contains(&(ty.clone(), field.clone(), argument.clone()))
    }

    /// Hides members whose type is hidden, and types that have no members left. Whether anything was.
    fn drop_dangling(&mut self, api: &Schema) -> bool {
        let before = (self.types.len(), self.members.len());
        let types = self.types.clone();
        self.members.retain(|(ty, member)| {
            let target = match api.types.get(ty) {
                Some(ExtendedType::InputObject(input)) => {
                    input.fields.get(member).map(|field| field.ty.inner_named_type())
                }
                Some(ExtendedType::Enum(_)) => None,
                _ => api
                    .type_field(ty, member)
                    .ok()
                    .map(|field| field.ty.inner_named_type()),
            };
            types.contains(ty)
                && target.is_none_or(|target| types.contains(target) || is_built_in(api, target))
        });
        let members = &self.members;
        let has = |ty: &Name, member: &Name| members.contains(&(ty.clone(), member.clone()));
        self.types.retain(|name| match api.types.get(name) {
            Some(ExtendedType::Object(ty)) => ty.fields.keys().any(|field| has(name, field)),
            Some(ExtendedType::Interface(ty)) => ty.fields.keys().any(|field| has(name, field)),
            Some(ExtendedType::InputObject(ty)) => ty.fields.keys().any(|field| has(name, field)),
            Some(ExtendedType::Enum(ty)) => ty.values.keys().any(|value| has(name, value)),
            Some(ExtendedType::Union(ty)) => ty.members.iter().any(|member| types.contains(&member.name)),
            _ => true,
        });
        before != (self.types.len(), self.members.len())
    }

    /// Hides arguments of hidden types. What has to be sent must be visible.
    fn check_required(&mut self, api: &Schema) -> Result<(), ContractError> {
        let refuse = |coordinate: Coordinate| Err(ContractError::RequiredHidden(coordinate.to_string()));
        for (ty, definition) in &api.types {
            if let ExtendedType::InputObject(input) = definition
                && self.types.contains(ty)
            {
                let hidden = |field: &&Name| !self.members.contains(&(ty.clone(), (*field).clone()));
                let required = input.fields.iter().filter(|(_, field)| field.is_required());
                if let Some(field) = required.map(|(name, _)| name).find(hidden) {
                    return refuse(Coordinate::member(ty, field));
                }
            }
            for (field, arguments) in fields(definition) {
                if !self.members.contains(&(ty.clone(), field.clone())) {
                    continue;
                }
                for argument in arguments {
                    let key = (ty.clone(), field.clone(), argument.name.clone());
                    let target = argument.ty.inner_named_type();
                    if !self.types.contains(target) && !is_built_in(api, target) {
                        self.hidden_arguments.insert(key.clone());
                    }
                    if self.hidden_arguments.contains(&key) && argument.is_required() {
                        return refuse(Coordinate::argument(ty, field, &argument.name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Hides types that no visible root reaches.
    fn keep_reachable(&mut self, api: &Schema) {
        let mut reached: FxHashSet<Name> = FxHashSet::default();
        let roots = api.schema_definition.iter_root_operations();
        let mut next: Vec<Name> = roots.map(|(_, root)| root.name.clone()).collect();
        next.extend(api.directive_definitions.values().flat_map(|directive| {
            directive
                .arguments
                .iter()
                .map(|argument| argument.ty.inner_named_type().clone())
        }));
        while let Some(ty) = next.pop() {
            if !self.types.contains(&ty) || !reached.insert(ty.clone()) {
                continue;
            }
            let Some(definition) = api.types.get(&ty) else {
                continue;
            };
            next.extend(self.neighbours(api, &ty, definition));
        }
        self.types = reached;
    }

    fn neighbours(&self, api: &Schema, ty: &Name, definition: &ExtendedType) -> Vec<Name> {
        let mut names = Vec::new();
        for (field, arguments) in fields(definition) {
            if let Ok(definition) = api.type_field(ty, field)
                && self.has_member(ty, field)
            {
                names.push(definition.ty.inner_named_type().clone());
                names.extend(
                    arguments
                        .iter()
                        .map(|argument| argument.ty.inner_named_type().clone()),
                );
            }
        }
        match definition {
            ExtendedType::InputObject(input) => {
                let fields = input.fields.iter().filter(|(name, _)| self.has_member(ty, name));
                names.extend(fields.map(|(_, field)| field.ty.inner_named_type().clone()));
            }
            ExtendedType::Union(union_) => {
                names.extend(union_.members.iter().map(|member| member.name.clone()))
            }
            ExtendedType::Object(object) => {
                names.extend(
                    object
                        .implements_interfaces
                        .iter()
                        .map(|interface| interface.name.clone()),
                );
            }
            ExtendedType::Interface(interface) => {
                names.extend(
                    interface
                        .implements_interfaces
                        .iter()
                        .map(|interface| interface.name.clone()),
                );
                // A value may be of any type behind the interface.
                let implementers = api.types.iter().filter(|(_, other)| implements(other, ty));
                names.extend(implementers.map(|(name, _)| name.clone()));
            }
            _ => {}
        }
        names
    }
}

struct Filter<'a> {
    tags: BTreeMap<Coordinate, BTreeSet<String>>,
    contract: &'a Contract,
}

impl Filter<'_> {
    fn check_tags(&self) -> Result<(), ContractError> {
        let named = self.contract.include.iter().chain(&self.contract.exclude);
        let unknown = named
            .into_iter()
            .find(|tag| !self.tags.values().any(|tags| tags.contains(*tag)));
        unknown.map_or(Ok(()), |tag| Err(ContractError::UnknownTag(tag.clone())))
    }

    fn select(&self, api: &Schema) -> Visible {
        let mut visible = Visible {
            types: FxHashSet::default(),
            members: FxHashSet::default(),
            hidden_arguments: FxHashSet::default(),
        };
        for (ty, definition) in api
            .types
            .iter()
            .filter(|(_, definition)| !definition.is_built_in())
        {
            let coordinate = Coordinate::Type(ty.clone());
            if self.has(&coordinate, &self.contract.exclude) {
                continue;
            }
            visible.types.insert(ty.clone());
            let whole = self.contract.include.is_empty() || self.has(&coordinate, &self.contract.include);
            self.select_members(ty, definition, whole, &mut visible);
        }
        visible
    }

    fn select_members(&self, ty: &Name, definition: &ExtendedType, whole: bool, visible: &mut Visible) {
        for (field, arguments) in fields(definition) {
            let coordinate = Coordinate::member(ty, field);
            let included = whole || self.has(&coordinate, &self.contract.include);
            if included && !self.has(&coordinate, &self.contract.exclude) {
                visible.members.insert((ty.clone(), field.clone()));
            }
            for argument in arguments {
                let coordinate = Coordinate::argument(ty, field, &argument.name);
                if self.has(&coordinate, &self.contract.exclude) {
                    let key = (ty.clone(), field.clone(), argument.name.clone());
                    visible.hidden_arguments.insert(key);
                }
            }
        }
        let others: Vec<&Name> = match definition {
            ExtendedType::Enum(ty) => ty.values.keys().collect(),
            ExtendedType::InputObject(ty) => ty.fields.keys().collect(),
            _ => Vec::new(),
        };
        for member in others {
            if !self.has(&Coordinate::member(ty, member), &self.contract.exclude) {
                visible.members.insert((ty.clone(), member.clone()));
            }
        }
    }

    fn has(&self, coordinate: &Coordinate, wanted: &[String]) -> bool {
        self.tags
            .get(coordinate)
            .is_some_and(|tags| wanted.iter().any(|tag| tags.contains(tag)))
    }
}

fn is_built_in(api: &Schema, ty: &Name) -> bool {
    api.types.get(ty).is_none_or(ExtendedType::is_built_in)
}

fn implements(definition: &ExtendedType, interface: &Name) -> bool {
    match definition {
        ExtendedType::Object(ty) => ty.implements_interfaces.contains(interface.as_str()),
        ExtendedType::Interface(ty) => ty.implements_interfaces.contains(interface.as_str()),
        _ => false,
    }
}

type Arguments = [apollo_compiler::Node<InputValueDefinition>];

/// The fields of an object or interface type, with their arguments.
fn fields(definition: &ExtendedType) -> Vec<(&Name, &Arguments)> {
    let fields = match definition {
        ExtendedType::Object(ty) => &ty.fields,
        ExtendedType::Interface(ty) => &ty.fields,
        _ => return Vec::new(),
    };
    fields
        .iter()
        .map(|(name, field)| (name, field.arguments.as_slice()))
        .collect()
}
