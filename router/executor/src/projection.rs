//! The client's selections, compiled once: for every object of the response, which fields to write in which order.
//!
//! This is the specification's [CollectFields](https://spec.graphql.org/September2025/#sec-Field-Collection) done ahead
//! of time. Each set of selections becomes a [`Selection`]; object types for which its fragments choose the same fields
//! share a [`Shape`]. What depends on variables (`@skip`, `@include`) stays as conditions on fields.

use apollo_compiler::schema::EnumType;
use apollo_compiler::{Name, Node};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::response::PathElement;
use crate::value::Value;
use crate::variables::Variables;

/// The compiled operation.
#[derive(Debug)]
pub struct Projection {
    pub(crate) selections: Vec<Selection>,
    pub(crate) root: SelectionId,
    /// Variables that conditions refer to, by index.
    pub(crate) condition_variables: Vec<Name>,
}

/// Index in [`Projection::selections`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionId(pub(crate) usize);

/// What to write for the objects at one place of the response.
#[derive(Debug)]
pub struct Selection {
    /// Name of the declared type, object or abstract.
    pub(crate) type_name: Name,
    /// The declared type is an interface or union: `__typename` in the data decides.
    pub(crate) is_abstract: bool,
    pub(crate) shapes: Vec<Shape>,
    /// Possible object types and their index in `shapes`.
    pub(crate) shape_by_type: FxHashMap<Name, usize>,
}

/// Fields of an object, in the order of the response.
#[derive(Debug, PartialEq)]
pub struct Shape {
    /// In the order of the document.
    pub(crate) fields: Vec<OutputField>,
    /// Conditions decide which occurrence of some field is its first, and so the order.
    pub(crate) is_reordered: bool,
}

/// One entry of a response object.
#[derive(Debug, PartialEq)]
pub struct OutputField {
    pub(crate) key: Name,
    /// The key as JSON with its colon.
    pub(crate) json_key: String,
    /// Present at the first of these whose conditions hold; an empty list means always, at `position`.
    pub(crate) occurrences: Vec<Occurrence>,
    /// Where the field stands first.
    pub(crate) position: usize,
    /// The caller may use it if any of these holds, so never where there are none; without them always.
    pub(crate) permitted_if: Option<Vec<Conjunction>>,
    pub(crate) kind: FieldKind,
}

/// One place of the document where a field is selected.
#[derive(Debug, PartialEq)]
pub struct Occurrence {
    /// Among all occurrences in the object.
    pub(crate) position: usize,
    pub(crate) conditions: Conjunction,
}

/// Conditions that must hold together: variable index, expected value.
pub type Conjunction = Vec<(usize, bool)>;

/// How the value of a field comes about.
#[derive(Debug, PartialEq)]
pub enum FieldKind {
    /// `__typename`
    Typename,
    /// `__schema` or `__type`: already in the response's form.
    Introspection,
    /// Completed by type from the data.
    Data(OutputType),
}

/// Type of a value in the response.
#[derive(Debug, PartialEq)]
pub struct OutputType {
    pub(crate) nullable: bool,
    pub(crate) kind: OutputKind,
}

/// An [`OutputType`] apart from its nullability.
#[derive(Debug, PartialEq)]
pub enum OutputKind {
    /// A list and the type of its items.
    List(Box<OutputType>),
    /// A scalar or enum.
    Leaf(Leaf),
    /// An object, interface or union.
    Composite(SelectionId),
}

/// A leaf type.
#[derive(Debug, PartialEq)]
pub enum Leaf {
    /// `Int`
    Int,
    /// `Float`
    Float,
    /// `String`
    String,
    /// `Boolean`
    Boolean,
    /// `ID`
    Id,
    /// An enum: only values of the API schema may appear.
    Enum(Enum),
    /// A custom scalar: any JSON.
    Custom,
}

/// An enum type; two are equal if they have the same name.
#[derive(Debug)]
pub struct Enum(pub(crate) Node<EnumType>);

impl PartialEq for Enum {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl OutputField {
    /// Where the field stands given the conditions' variables; `None` where it does not belong in the response.
    fn position(&self, variables: &[bool]) -> Option<usize> {
        if self.occurrences.is_empty() {
            return Some(self.position);
        }
        let mut occurrences = self.occurrences.iter();
        let first = occurrences.find(|occurrence| holds(&occurrence.conditions, variables));
        first.map(|occurrence| occurrence.position)
    }

    /// True where the caller may see the field's value, given the conditions' variables.
    pub(crate) fn is_permitted(&self, variables: &[bool]) -> bool {
        self.permitted_if
            .as_ref()
            .is_none_or(|alternatives| alternatives.iter().any(|one| holds(one, variables)))
    }
}

fn holds(conjunction: &Conjunction, variables: &[bool]) -> bool {
    conjunction
        .iter()
        .all(|&(index, value)| variables[index] == value)
}

impl Shape {
    /// The fields of a response in its order, given the conditions' variables.
    pub(crate) fn active<'s>(&'s self, variables: &[bool]) -> SmallVec<[&'s OutputField; 16]> {
        let fields = self.fields.iter();
        if !self.is_reordered {
            return fields
                .filter(|field| field.position(variables).is_some())
                .collect();
        }
        let mut placed: Vec<_> = fields
            .filter_map(|field| Some((field.position(variables)?, field)))
            .collect();
        placed.sort_by_key(|(position, _)| *position);
        placed.into_iter().map(|(_, field)| field).collect()
    }
}

impl Selection {
    /// The shape for an object whose data names `typename`; `None` if no such type is possible here.
    pub(crate) fn shape(&self, typename: Option<&str>) -> Option<&Shape> {
        if !self.is_abstract {
            return self.shapes.first();
        }
        if let Some(index) = typename.and_then(|name| self.shape_by_type.get(name)) {
            return Some(&self.shapes[*index]);
        }
        // An interface object does not know its runtime type. The plan leaves it so where every type looks the same.
        let is_interface_object = typename.is_none_or(|name| name == self.type_name.as_str());
        match self.shapes.as_slice() {
            [only] if is_interface_object => Some(only),
            _ => None,
        }
    }

    /// The object type of an object whose data names `typename`; `None` where an interface object's was not found out.
    pub(crate) fn object_type<'s>(&'s self, typename: Option<&'s str>) -> Option<&'s str> {
        if !self.is_abstract {
            return Some(&self.type_name);
        }
        typename.filter(|name| self.shape_by_type.contains_key(*name))
    }
}

impl Projection {
    /// Values of the conditions' variables in a request.
    pub(crate) fn condition_values(&self, variables: &Variables<'_>) -> Vec<bool> {
        self.condition_variables
            .iter()
            .map(|name| variables.get(name) == Some(&Value::Bool(true)))
            .collect()
    }

    /// A compiled set of selections.
    pub(crate) fn selection(&self, id: SelectionId) -> &Selection {
        &self.selections[id.0]
    }

    /// How much of a path names fields the client selected: fields fetched for internal use are not shown.
    pub(crate) fn visible_length(&self, path: &[PathElement]) -> usize {
        let mut places = vec![self.root];
        for (index, step) in path.iter().enumerate() {
            let PathElement::Key(key) = step else { continue };
            let fields: Vec<_> = places
                .iter()
                .flat_map(|place| self.fields_under(*place, key))
                .collect();
            if fields.is_empty() {
                return index;
            }
            places = fields
                .into_iter()
                .filter_map(|field| field.kind.selection())
                .collect();
            if places.is_empty() {
                let indexes = path[index + 1..]
                    .iter()
                    .take_while(|step| matches!(step, PathElement::Index(_)));
                return index + 1 + indexes.count();
            }
        }
        path.len()
    }

    fn fields_under(&self, place: SelectionId, key: &str) -> impl Iterator<Item = &OutputField> {
        self.selection(place)
            .shapes
            .iter()
            .flat_map(|shape| &shape.fields)
            .filter(move |field| field.key == key)
    }
}

impl FieldKind {
    fn selection(&self) -> Option<SelectionId> {
        match self {
            FieldKind::Data(ty) => ty.selection(),
            FieldKind::Typename | FieldKind::Introspection => None,
        }
    }
}

impl OutputType {
    fn selection(&self) -> Option<SelectionId> {
        match &self.kind {
            OutputKind::List(item) => item.selection(),
            OutputKind::Composite(id) => Some(*id),
            OutputKind::Leaf(_) => None,
        }
    }
}
