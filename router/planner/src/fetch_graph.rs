//! Turns solved positions into requests that depend on each other.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::ast::{Argument, Type, Value};
use apollo_compiler::{Name, Node};
use fondaco_supergraph::SubgraphId;
use rustc_hash::FxHashMap;

use crate::abstract_types::{data_types, ordered_inputs};
use crate::contexts::ContextUse;
use crate::levels::Levels;
use crate::normalize::{FieldNode, SelectionSet};
use crate::position::{Hop, Selected, Slot, Solved};
use crate::query_plan::{ContextVariable, PathSegment, Representation, RepresentationField};
use crate::selection_tree::{Tree, TreeField};
use crate::solve::Session;
use crate::variants;

/// Steps that a request counts for: requests are compared with one another when they are merged.
const REQUEST_STEPS: usize = 100;

/// One selection in one subgraph, before requests are merged.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) subgraph: SubgraphId,
    pub(crate) target: Target,
    pub(crate) tree: Tree,
    /// Requests whose data must be there before: indexes below this one's.
    pub(crate) needs: BTreeSet<usize>,
}

/// What a request selects.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Root fields.
    Root,
    /// Root fields of a query, for values of the query type at this path.
    RootAt(Vec<PathSegment>),
    /// Entities.
    Entity(Lookup),
}

/// Which objects a request looks up.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) path: Vec<PathSegment>,
    /// One for each type that is looked up alike.
    pub(crate) representations: Vec<Representation>,
    pub(crate) contexts: Vec<ContextVariable>,
    /// Types of the context variables.
    pub(crate) context_types: Vec<Type>,
    /// Requests that bring values of the representation, apart from the one that brings the object.
    pub(crate) late: BTreeSet<usize>,
}

/// Client fields at a position, by response key: internal fields must not take their keys.
#[derive(Default)]
pub(crate) struct ClientView {
    by_key: FxHashMap<Name, Vec<Arc<FieldNode>>>,
}

impl ClientView {
    pub(crate) fn of<'s>(sets: impl Iterator<Item = &'s Arc<SelectionSet>>) -> ClientView {
        let mut view = ClientView::default();
        for entry in sets.flat_map(|set| &set.entries) {
            view.by_key
                .entry(entry.field.response_key.clone())
                .or_default()
                .push(entry.field.clone());
        }
        view
    }

    fn below(&self, key: &Name) -> Rc<ClientView> {
        let fields = self.by_key.get(key).into_iter().flatten();
        Rc::new(ClientView::of(
            fields.filter_map(|field| field.selections.as_ref()),
        ))
    }
}

/// Writes requests.
pub(crate) struct Emitter<'s, 'a> {
    session: &'s Session<'a>,
    pub(crate) requests: Vec<Request>,
    /// Internal fields with arguments, each with an alias of its own.
    with_arguments: Vec<(Name, Vec<Node<Argument>>)>,
    /// Objects met so far, and those that enclose the one at hand: contexts take values from them.
    levels: Levels,
}

/// Requests made for what was selected: by field of the fetch at hand, and by field of each hop.
#[derive(Default)]
struct Made {
    inline: Vec<Vec<usize>>,
    hops: Vec<(usize, Vec<Vec<usize>>)>,
}

impl<'s, 'a> Emitter<'s, 'a> {
    pub(crate) fn new(session: &'s Session<'a>) -> Self {
        Emitter {
            session,
            requests: Vec::new(),
            with_arguments: Vec::new(),
            levels: Levels::default(),
        }
    }

    /// Emits the top of an operation.
    pub(crate) fn root(&mut self, solved: &Solved, ty: &Name, view: &Rc<ClientView>) {
        self.levels.enter(ty, &[], view);
        self.position(solved, std::slice::from_ref(ty), None, view, &[]);
        self.levels.leave();
    }

    /// The requests, each after those it needs.
    pub(crate) fn finish(self) -> Vec<Request> {
        self.levels.order(self.requests)
    }

    /// Emits a position of these types, which are solved alike. Returns what `request` selects there, and all requests made.
    fn position(
        &mut self,
        solved: &Solved,
        types: &[Name],
        request: Option<usize>,
        view: &Rc<ClientView>,
        path: &[PathSegment],
    ) -> (Tree, Vec<usize>) {
        let first_made = self.requests.len();
        let mut tree = Tree::default();
        let mut made = Made::default();
        let work = &self.session.normalizer.work;
        work.spend(1 + solved.inline.len() + solved.variants.len());
        if work.is_refused() {
            return (tree, Vec::new());
        }
        if solved.typename || (request.is_some() && !solved.hops.is_empty()) {
            tree.add_typename();
        }
        for selected in &solved.inline {
            let (field, requests) = self.field(selected, request, view, path);
            self.levels.bring(selected, &field.key, request, &requests);
            tree.add(field);
            made.inline.push(requests);
        }
        for hop in &solved.hops {
            self.hop(hop, types, request, view, path, &mut made);
        }
        for (objects, variant) in variants::groups(&solved.variants) {
            let mut path = path.to_vec();
            path.push(PathSegment::TypeCondition(objects.clone()));
            let (below, _) = self.position(variant, &objects, request, view, &path);
            tree.add_fragment(&objects, below);
        }
        if let (false, [ty], Some(request)) = (solved.variants.is_empty(), types, request) {
            self.hoist(&mut tree, ty, self.requests[request].subgraph);
        }
        (tree, (first_made..self.requests.len()).collect())
    }

    /// Moves leaves that every type of an interface selects to the interface.
    fn hoist(&self, tree: &mut Tree, ty: &Name, subgraph: SubgraphId) {
        let Some(model) = self.session.model(ty) else {
            return;
        };
        let Some(source) = model.sources.get(&subgraph).filter(|_| model.is_abstract) else {
            return;
        };
        let on_interface = |name: &Name| Some(model.field_in(name, subgraph)?.ty.clone());
        tree.hoist(&source.possible_types, on_interface);
    }

    fn field(
        &mut self,
        selected: &Selected,
        request: Option<usize>,
        view: &Rc<ClientView>,
        path: &[PathSegment],
    ) -> (TreeField, Vec<usize>) {
        let node = &selected.field;
        let key = self.response_key(node, view);
        let (below, made) = match &selected.below {
            None => (None, Vec::new()),
            Some(solved) => {
                let mut path = path.to_vec();
                path.push(PathSegment::Key(key.clone()));
                let ty = selected.ty.inner_named_type();
                let view = view.below(&key);
                self.levels.enter(ty, &path, &view);
                let (mut tree, made) = self.position(solved, std::slice::from_ref(ty), request, &view, &path);
                self.levels.leave();
                if tree.is_empty() {
                    tree.add_typename();
                }
                (Some(tree), made)
            }
        };
        let field = TreeField {
            key,
            name: node.name.clone(),
            arguments: node.arguments.clone(),
            conditions: node.conditions.clone(),
            directives: node.directives.clone(),
            ty: selected.ty.clone(),
            below,
        };
        (field, made)
    }

    fn hop(
        &mut self,
        hop: &Hop,
        types: &[Name],
        request: Option<usize>,
        view: &Rc<ClientView>,
        path: &[PathSegment],
        made: &mut Made,
    ) {
        let needs = needs_of(hop, request, made);
        let index = self.requests.len();
        let target = match request {
            None => Target::Root,
            Some(_) if hop.inputs.is_empty() => Target::RootAt(path.to_vec()),
            Some(parent) => {
                let (contexts, context_types) = self.contexts(hop, index);
                let representation = |ty| self.representation(hop, ty, typename(hop, types, ty), view);
                let representations = types.iter().map(representation).collect();
                Target::Entity(Lookup {
                    path: object_path(path),
                    representations,
                    contexts,
                    context_types,
                    late: needs.iter().copied().filter(|&need| need != parent).collect(),
                })
            }
        };
        let is_entity = matches!(target, Target::Entity(_));
        self.session.normalizer.work.spend(REQUEST_STEPS);
        self.requests.push(Request {
            subgraph: hop.subgraph,
            target,
            tree: Tree::default(),
            needs,
        });
        let mut tree = Tree::default();
        let mut by_field = Vec::new();
        for selected in &hop.selected {
            let (mut field, requests) = self.field(selected, Some(index), view, path);
            self.levels.bring(selected, &field.key, Some(index), &requests);
            field
                .arguments
                .extend(self.context_arguments(hop, selected, index));
            tree.add(field);
            by_field.push(requests);
        }
        if let Some(resolved) = &hop.resolved {
            let ty = std::slice::from_ref(&hop.typename);
            let (below, _) = self.position(resolved, ty, Some(index), view, path);
            tree.merge(below);
        }
        if is_entity {
            let mut names: Vec<Name> = Vec::new();
            for name in types.iter().map(|ty| typename(hop, types, ty)) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            let mut outer = Tree::default();
            outer.add_fragment(&names, tree);
            tree = outer;
        }
        self.requests[index].tree = tree;
        made.hops.push((index, by_field));
    }

    /// Variables for the contexts of a hop that becomes the request `index`.
    fn contexts(&mut self, hop: &Hop, index: usize) -> (Vec<ContextVariable>, Vec<Type>) {
        let variables = hop.contexts.iter().map(|used| {
            let (ty, view, depth) = self.levels.above(used.up);
            let mut fields = Vec::new();
            for set in &used.selections {
                for entry in &set.entries {
                    let on = entry.on.as_deref().unwrap_or_default();
                    let parent = on.first().unwrap_or(&ty).clone();
                    let field = self.representation_field(&entry.field, false, (&parent, on), &view);
                    self.levels.need(index, used.up, &field.response_key);
                    merge_representation_field(&mut fields, field);
                }
            }
            let variable = ContextVariable {
                variable: context_variable(&used.argument, index),
                depth,
                fields,
            };
            (variable, used.ty.clone())
        });
        variables.unzip()
    }

    /// Arguments that take their values from the contexts of the hop.
    fn context_arguments(&self, hop: &Hop, selected: &Selected, index: usize) -> Vec<Node<Argument>> {
        let is_used = |used: &&ContextUse| hop.contexts.contains(used);
        let argument = |used: &ContextUse| Argument {
            name: used.argument.clone(),
            value: Node::new(Value::Variable(context_variable(&used.argument, index))),
        };
        let used = selected.field.contexts.iter().filter(is_used);
        used.map(|used| Node::new(argument(used))).collect()
    }

    fn representation(
        &mut self,
        hop: &Hop,
        ty: &Name,
        typename: &Name,
        view: &Rc<ClientView>,
    ) -> Representation {
        let is_abstract = self.session.model(ty).is_some_and(|model| model.is_abstract);
        let on_types = if is_abstract {
            data_types(self.session, ty)
        } else {
            vec![ty.clone()]
        };
        let mut fields: Vec<RepresentationField> = Vec::new();
        for input in ordered_inputs(hop) {
            if input.field.name == "__typename" {
                continue;
            }
            let field = self.representation_field(&input.field, input.is_key, (ty, &[]), view);
            merge_representation_field(&mut fields, field);
        }
        Representation {
            on_types,
            typename: typename.clone(),
            fields,
        }
    }

    fn representation_field(
        &mut self,
        node: &FieldNode,
        is_key: bool,
        (parent, on_types): (&Name, &[Name]),
        view: &Rc<ClientView>,
    ) -> RepresentationField {
        let response_key = self.response_key(node, view);
        let mut fields = Vec::new();
        if let Some(set) = &node.selections {
            let below = view.below(&response_key);
            let ty = self.field_type(parent, &node.name);
            if self.must_name_type(&ty) {
                fields.push(typename_field());
            }
            for entry in &set.entries {
                let on = entry.on.as_deref().unwrap_or_default();
                let parent = on.first().unwrap_or(&ty);
                let field = self.representation_field(&entry.field, is_key, (parent, on), &below);
                merge_representation_field(&mut fields, field);
            }
        }
        RepresentationField {
            response_key,
            name: node.name.clone(),
            is_key,
            fields,
            on_types: on_types.to_vec(),
        }
    }

    /// Named type of a field. A condition that every value meets is not kept, so `parent` may be an abstract type whose
    /// objects alone have the field.
    fn field_type(&self, parent: &Name, field: &Name) -> Name {
        let definition = self.session.supergraph.field(parent, field);
        definition.map_or_else(
            || parent.clone(),
            |definition| definition.ty.inner_named_type().clone(),
        )
    }

    /// Whether a subgraph needs `__typename` to read a value of this type inside a representation.
    fn must_name_type(&self, ty: &Name) -> bool {
        self.session.model(ty).is_some_and(|model| {
            model.is_abstract && !model.sources.values().any(|source| source.is_interface_object)
        })
    }

    /// Key under which a field is fetched. Internal fields with arguments always get an alias, because the same field
    /// may be required with others; those without only where the client uses the key for something else.
    fn response_key(&mut self, node: &FieldNode, view: &Rc<ClientView>) -> Name {
        if !node.internal {
            return node.response_key.clone();
        }
        let users = view.by_key.get(&node.name).map_or(&[][..], Vec::as_slice);
        let same = |user: &Arc<FieldNode>| user.name == node.name && user.arguments == node.arguments;
        let free = users.iter().all(same) && (node.arguments.is_empty() || !users.is_empty());
        if free {
            return node.name.clone();
        }
        let mut alias = format!("_fondaco_{}", node.name);
        if !node.arguments.is_empty() {
            let this = (node.name.clone(), node.arguments.clone());
            let known = self.with_arguments.iter().position(|known| *known == this);
            let number = known.unwrap_or_else(|| {
                self.with_arguments.push(this);
                self.with_arguments.len() - 1
            });
            alias = format!("{alias}_{number}");
        }
        Name::new(&alias).expect("a name with a prefix and a number is a name")
    }
}

/// What an object of type `ty` is called where a hop goes that is the same for all of `types`.
fn typename<'n>(hop: &'n Hop, types: &[Name], ty: &'n Name) -> &'n Name {
    match types[0] == hop.typename {
        true => ty,
        false => &hop.typename,
    }
}

/// The fetch that brought the object, those that bring the inputs, and all those that complete the inputs.
fn needs_of(hop: &Hop, request: Option<usize>, made: &Made) -> BTreeSet<usize> {
    let mut needs: BTreeSet<usize> = request.into_iter().collect();
    for Slot { hop, index } in &hop.needs {
        let requests = match hop {
            None => &made.inline[*index],
            Some(hop) => {
                let (request, by_field) = &made.hops[*hop];
                needs.insert(*request);
                &by_field[*index]
            }
        };
        needs.extend(requests);
    }
    needs
}

/// The path of a look-up. A type condition at its end says nothing that the representation does not say.
fn object_path(path: &[PathSegment]) -> Vec<PathSegment> {
    match path {
        [object @ .., PathSegment::TypeCondition(_)] => object.to_vec(),
        whole => whole.to_vec(),
    }
}

/// Name of the variable for an argument of the request `index`.
fn context_variable(argument: &Name, index: usize) -> Name {
    let name = format!("_fondaco_{argument}_{index}");
    Name::new(&name).expect("a name with a prefix and a number is a name")
}

fn typename_field() -> RepresentationField {
    let name = apollo_compiler::name!("__typename");
    RepresentationField {
        response_key: name.clone(),
        name,
        is_key: false,
        fields: Vec::new(),
        on_types: Vec::new(),
    }
}

/// Adds a field, joining it with the one that has the same name, key and types.
pub(crate) fn merge_representation_field(fields: &mut Vec<RepresentationField>, field: RepresentationField) {
    let twin = fields.iter_mut().find(|other| {
        other.name == field.name
            && other.response_key == field.response_key
            && other.on_types == field.on_types
    });
    match twin {
        None => fields.push(field),
        Some(twin) => {
            twin.is_key |= field.is_key;
            for below in field.fields {
                merge_representation_field(&mut twin.fields, below);
            }
        }
    }
}
