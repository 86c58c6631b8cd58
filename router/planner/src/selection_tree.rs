//! What one fetch selects, as it will be written.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Argument, Directive, Type};
use apollo_compiler::{Name, Node};

use crate::query_plan::{Condition, OutputRewrite, PathSegment};

/// A selection set to be written. Fields come before fragments.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) fields: Vec<TreeField>,
    /// What is selected for objects of some types only. No type is in two of them.
    pub(crate) fragments: Vec<(Vec<Name>, Tree)>,
}

/// A field to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TreeField {
    pub(crate) key: Name,
    pub(crate) name: Name,
    pub(crate) arguments: Vec<Node<Argument>>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) directives: Vec<Node<Directive>>,
    /// Type in the subgraph.
    pub(crate) ty: Type,
    pub(crate) below: Option<Tree>,
}

impl TreeField {
    /// Whether this field is there whenever leaf `other` is.
    fn covers(&self, other: &TreeField) -> bool {
        self.key == other.key
            && self.name == other.name
            && self.arguments == other.arguments
            && self.directives == other.directives
            && (self.conditions.is_empty() || self.conditions == other.conditions)
    }
}

impl Tree {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.fragments.is_empty()
    }

    /// Adds a field, joining it with one of the same key. A conditional leaf adds nothing to an unconditional one.
    pub(crate) fn add(&mut self, field: TreeField) {
        let twin = self.fields.iter_mut().find(|other| {
            let leaf = field.below.is_none() && (other.conditions.is_empty() || field.conditions.is_empty());
            other.key == field.key
                && other.name == field.name
                && other.arguments == field.arguments
                && other.directives == field.directives
                && (other.conditions == field.conditions || leaf)
        });
        match (twin, field) {
            (None, field) => self.fields.push(field),
            (Some(twin), field) => {
                if field.conditions.is_empty() {
                    twin.conditions.clear();
                }
                if let (Some(below), Some(more)) = (&mut twin.below, field.below) {
                    below.merge(more);
                }
            }
        }
    }

    pub(crate) fn add_typename(&mut self) {
        let name = apollo_compiler::name!("__typename");
        self.add(TreeField {
            key: name.clone(),
            name,
            arguments: Vec::new(),
            conditions: Vec::new(),
            directives: Vec::new(),
            ty: apollo_compiler::ty!(String!),
            below: None,
        });
    }

    /// Selects `tree` for objects of these types. Where they share a fragment with other types, they leave it.
    pub(crate) fn add_fragment(&mut self, on: &[Name], tree: Tree) {
        if tree.is_empty() {
            return;
        }
        let mut left = on.to_vec();
        for index in 0..self.fragments.len() {
            let (types, known) = &mut self.fragments[index];
            let shared: Vec<Name> = types.extract_if(.., |ty| left.contains(ty)).collect();
            left.retain(|ty| !shared.contains(ty));
            if shared.is_empty() {
                continue;
            }
            if types.is_empty() {
                *types = shared;
                known.merge(tree.clone());
            } else {
                let mut more = known.clone();
                more.merge(tree.clone());
                self.fragments.push((shared, more));
            }
        }
        if !left.is_empty() {
            self.fragments.push((left, tree));
        }
    }

    /// Fields that are written where nothing is shared.
    pub(crate) fn expanded_size(&self) -> usize {
        let below = |tree: &Option<Tree>| tree.as_ref().map_or(0, Tree::expanded_size);
        let fields = self
            .fields
            .iter()
            .map(|field| below(&field.below).saturating_add(1));
        let fragments = self
            .fragments
            .iter()
            .map(|(on, tree)| tree.expanded_size().saturating_mul(on.len()));
        fields.chain(fragments).fold(0, usize::saturating_add)
    }

    pub(crate) fn merge(&mut self, other: Tree) {
        for field in other.fields {
            self.add(field);
        }
        for (on, tree) in other.fragments {
            self.add_fragment(&on, tree);
        }
    }

    /// Conditions that hold for everything in the tree.
    pub(crate) fn common_conditions(&self) -> Vec<Condition> {
        let mut common: Option<Vec<Condition>> = None;
        self.narrow_conditions(&mut common);
        common.unwrap_or_default()
    }

    fn narrow_conditions(&self, common: &mut Option<Vec<Condition>>) {
        for field in &self.fields {
            match common {
                None => *common = Some(field.conditions.clone()),
                Some(common) => common.retain(|condition| field.conditions.contains(condition)),
            }
        }
        self.fragments
            .iter()
            .for_each(|(_, tree)| tree.narrow_conditions(common));
    }

    /// Takes away conditions that hold for everything in the tree, and returns them.
    pub(crate) fn lift_conditions(&mut self) -> Vec<Condition> {
        let common = self.common_conditions();
        if !common.is_empty() {
            self.for_top_fields(&mut |field| {
                field.conditions.retain(|condition| !common.contains(condition))
            });
        }
        common
    }

    /// Selects a leaf once that the fragments of all `types` select, where `on_interface` tells its type there.
    pub(crate) fn hoist(&mut self, types: &[Name], on_interface: impl Fn(&Name) -> Option<Type>) {
        let is_whole = types
            .iter()
            .all(|ty| self.fragments.iter().any(|(on, _)| on.contains(ty)));
        let Some((_, first)) = self.fragments.first().filter(|_| is_whole && types.len() > 1) else {
            return;
        };
        let everywhere = |field: &&TreeField| {
            field.below.is_none()
                && field.conditions.is_empty()
                && !self.fields.iter().any(|other| other.key == field.key)
                && self
                    .fragments
                    .iter()
                    .all(|(_, tree)| tree.fields.iter().any(|other| other.covers(field)))
        };
        let leaves: Vec<TreeField> = first.fields.iter().filter(everywhere).cloned().collect();
        for leaf in leaves {
            if let Some(ty) = on_interface(&leaf.name) {
                self.fields.push(TreeField { ty, ..leaf });
            }
        }
    }

    /// Takes away leaves of fragments that the enclosing selection has anyway.
    pub(crate) fn prune(&mut self) {
        for field in &mut self.fields {
            if let Some(below) = &mut field.below {
                below.prune();
            }
        }
        for (_, tree) in &mut self.fragments {
            tree.fields.retain(|field| {
                field.below.is_some() || !self.fields.iter().any(|outer| outer.covers(field))
            });
            tree.prune();
        }
        self.fragments.retain(|(_, tree)| !tree.is_empty());
    }

    fn for_top_fields(&mut self, action: &mut dyn FnMut(&mut TreeField)) {
        self.fields.iter_mut().for_each(&mut *action);
        for (_, tree) in &mut self.fragments {
            tree.for_top_fields(action);
        }
    }

    /// Renames fields that clash: GraphQL lets two fragments use one key only for types of the same shape, but
    /// subgraphs may differ where the supergraph agrees. The rewrites undo it in the answer.
    pub(crate) fn resolve_clashes(&mut self, path: &[PathSegment], rewrites: &mut Vec<OutputRewrite>) {
        for index in 0..self.fragments.len() {
            let (before, rest) = self.fragments.split_at_mut(index);
            let (on, tree) = &mut rest[0];
            for field in &mut tree.fields {
                let others = before
                    .iter()
                    .flat_map(|(_, tree)| &tree.fields)
                    .chain(&self.fields);
                let clashes = others
                    .filter(|other| other.key == field.key)
                    .any(|other| !same_shape(other, field));
                if clashes {
                    let to = field.key.clone();
                    let from = Name::new(&format!("_{}_{to}", on[0]))
                        .expect("names joined by underscores are a name");
                    field.key = from.clone();
                    let mut path = path.to_vec();
                    path.push(PathSegment::TypeCondition(on.clone()));
                    rewrites.push(OutputRewrite::RenameKey { path, from, to });
                }
            }
        }
        self.resolve_clashes_below(path, rewrites);
    }

    fn resolve_clashes_below(&mut self, path: &[PathSegment], rewrites: &mut Vec<OutputRewrite>) {
        for field in &mut self.fields {
            if let Some(below) = &mut field.below {
                let mut path = path.to_vec();
                // The renaming above this one comes first in the list, so the path uses the final key.
                path.push(PathSegment::Key(final_key(&field.key, rewrites)));
                below.resolve_clashes(&path, rewrites);
            }
        }
        for (on, tree) in &mut self.fragments {
            let mut path = path.to_vec();
            path.push(PathSegment::TypeCondition(on.clone()));
            tree.resolve_clashes_below(&path, rewrites);
        }
        // A rewrite under a type condition is for objects whose type the answer tells.
        let by_type = |rewrite: &OutputRewrite| match rewrite {
            OutputRewrite::RenameKey { path: place, .. } => {
                place.starts_with(path)
                    && matches!(place.get(path.len()), Some(PathSegment::TypeCondition(_)))
            }
        };
        if !self.fragments.is_empty() && rewrites.iter().any(by_type) {
            self.add_typename();
        }
    }

    /// Variables used in arguments and conditions.
    pub(crate) fn variables(&self, into: &mut BTreeSet<Name>) {
        for field in &self.fields {
            into.extend(
                field
                    .conditions
                    .iter()
                    .map(|condition| condition.variable.clone()),
            );
            field
                .arguments
                .iter()
                .for_each(|argument| value_variables(&argument.value, into));
            directive_variables(&field.directives, into);
            if let Some(below) = &field.below {
                below.variables(into);
            }
        }
        self.fragments.iter().for_each(|(_, tree)| tree.variables(into));
    }
}

fn final_key(key: &Name, rewrites: &[OutputRewrite]) -> Name {
    let renamed = rewrites.iter().find_map(|rewrite| match rewrite {
        OutputRewrite::RenameKey { from, to, .. } if from == key => Some(to.clone()),
        OutputRewrite::RenameKey { .. } => None,
    });
    renamed.unwrap_or_else(|| key.clone())
}

/// Variables used in arguments of directives.
pub(crate) fn directive_variables(directives: &[Node<Directive>], into: &mut BTreeSet<Name>) {
    let arguments = directives.iter().flat_map(|directive| &directive.arguments);
    arguments.for_each(|argument| value_variables(&argument.value, into));
}

fn value_variables(value: &apollo_compiler::ast::Value, into: &mut BTreeSet<Name>) {
    if let Some(variable) = value.as_variable() {
        into.insert(variable.clone());
    }
    for item in value.as_list().unwrap_or_default() {
        value_variables(item, into);
    }
    for (_, item) in value.as_object().unwrap_or_default() {
        value_variables(item, into);
    }
}

/// Whether two fields under one key in different fragments pass validation (SameResponseShape).
fn same_shape(a: &TreeField, b: &TreeField) -> bool {
    match (&a.below, &b.below) {
        (None, None) => a.ty == b.ty,
        (Some(below_a), Some(below_b)) => {
            same_wrapping(&a.ty, &b.ty) && {
                let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
                flatten(below_a, &mut of_a);
                flatten(below_b, &mut of_b);
                of_a.iter()
                    .all(|a| of_b.iter().filter(|b| a.key == b.key).all(|b| same_shape(a, b)))
            }
        }
        _ => false,
    }
}

fn flatten<'t>(tree: &'t Tree, into: &mut Vec<&'t TreeField>) {
    into.extend(&tree.fields);
    tree.fragments.iter().for_each(|(_, tree)| flatten(tree, into));
}

fn same_wrapping(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b)) | (Type::NonNullList(a), Type::NonNullList(b)) => same_wrapping(a, b),
        (Type::Named(_), Type::Named(_)) | (Type::NonNullNamed(_), Type::NonNullNamed(_)) => true,
        _ => false,
    }
}
