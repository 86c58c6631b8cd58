//! `@inaccessible`: nothing visible may need something hidden.

use apollo_compiler::Name;
use apollo_compiler::ast::Value;

use super::locate::{Coordinate, error_at};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::merge::{Member, Supergraph};
use crate::model::{Element, FieldDef, InputDef, TypeDef};

const HIDDEN: &str = "federation__inaccessible";

/// Checks every visible element of the merged graph.
pub(super) fn check(supergraph: &Supergraph, members: &[Member], errors: &mut Vec<Diagnostic>) {
    let mut check = Check {
        supergraph,
        members,
        errors,
    };
    for ty in supergraph.types.values().filter(|ty| !is_hidden(*ty)) {
        for field in ty.fields.values() {
            check.field(ty, field);
        }
        for input in ty.inputs.values() {
            check.input(
                &format!("{}.{}", ty.name, input.name),
                Coordinate::Member(&ty.name, &input.name),
                input,
            );
        }
    }
}

fn is_hidden(element: &impl Element) -> bool {
    element.directives().has(HIDDEN)
}

struct Check<'a> {
    supergraph: &'a Supergraph,
    members: &'a [Member],
    errors: &'a mut Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    fn error(&mut self, code: Code, at: Coordinate<'_>, message: String) {
        self.errors
            .push(error_at(self.members, code, at, HIDDEN, message));
    }

    fn field(&mut self, ty: &TypeDef, field: &FieldDef) {
        let at = Coordinate::Member(&ty.name, &field.name);
        if is_hidden(field) {
            return self.implemented(ty, field);
        }
        let coordinate = format!("{}.{}", ty.name, field.name);
        self.reference(&coordinate, at, field.ty.inner_named_type());
        for argument in field.arguments.values() {
            let at = Coordinate::Argument(&ty.name, &field.name, &argument.name);
            self.input(&format!("{coordinate}({}:)", argument.name), at, argument);
            if is_hidden(argument) {
                self.implemented_argument(ty, field, argument);
                self.implementing_argument(ty, field, argument);
            }
        }
    }

    fn reference(&mut self, coordinate: &str, at: Coordinate<'_>, target: &str) {
        if self.supergraph.types.get(target).is_some_and(is_hidden) {
            let message = format!("\"{coordinate}\" is visible, but its type \"{target}\" is @inaccessible");
            self.error(Code::ReferencedInaccessible, at, message);
        }
    }

    /// The visible interfaces a type implements.
    fn interfaces(&self, ty: &TypeDef) -> Vec<&'a TypeDef> {
        let types = &self.supergraph.types;
        let interfaces = ty.implements.iter().filter_map(|name| types.get(name));
        interfaces.filter(|interface| !is_hidden(*interface)).collect()
    }

    /// A hidden field must not be required by a visible interface's field.
    fn implemented(&mut self, ty: &TypeDef, field: &FieldDef) {
        for interface in self.interfaces(ty) {
            let implemented = interface.fields.get(&field.name);
            if implemented.is_some_and(|field| !is_hidden(field)) {
                let message = format!(
                    "\"{}.{}\" is @inaccessible, but implements \"{}.{}\", which is visible",
                    ty.name, field.name, interface.name, field.name
                );
                let at = Coordinate::Member(&ty.name, &field.name);
                self.error(Code::ImplementedByInaccessible, at, message);
            }
        }
    }

    /// Nor a hidden argument by that of a visible interface's field.
    fn implemented_argument(&mut self, ty: &TypeDef, field: &FieldDef, argument: &InputDef) {
        for interface in self.interfaces(ty) {
            let visible = interface
                .fields
                .get(&field.name)
                .filter(|field| !is_hidden(*field));
            let implemented = visible.and_then(|field| field.arguments.get(&argument.name));
            if implemented.is_some_and(|argument| !is_hidden(argument)) {
                let message = format!(
                    "argument \"{}.{}({}:)\" is @inaccessible, but implements a visible one of \"{}\"",
                    ty.name, field.name, argument.name, interface.name
                );
                let at = Coordinate::Argument(&ty.name, &field.name, &argument.name);
                self.error(Code::ImplementedByInaccessible, at, message);
            }
        }
    }

    /// A hidden argument of an interface's field cannot be given, so no implementation may insist on it.
    fn implementing_argument(&mut self, interface: &TypeDef, field: &FieldDef, argument: &InputDef) {
        let types = &self.supergraph.types;
        let implementing = types
            .values()
            .filter(|ty| ty.implements.contains(&interface.name) && !is_hidden(*ty));
        let insisting: Vec<&Name> = implementing
            .filter(|ty| {
                let field = ty.fields.get(&field.name).filter(|field| !is_hidden(*field));
                let argument = field.and_then(|field| field.arguments.get(&argument.name));
                argument.is_some_and(|argument| argument.is_required() && !is_hidden(argument))
            })
            .map(|ty| &ty.name)
            .collect();
        for ty in insisting {
            let message = format!(
                "argument \"{}.{}({}:)\" is @inaccessible, but \"{ty}\", which implements it, requires it",
                interface.name, field.name, argument.name
            );
            let at = Coordinate::Argument(&interface.name, &field.name, &argument.name);
            self.error(Code::RequiredInaccessible, at, message);
        }
    }

    fn input(&mut self, coordinate: &str, at: Coordinate<'_>, input: &InputDef) {
        if is_hidden(input) {
            if input.is_required() {
                let message = format!(
                    "\"{coordinate}\" is @inaccessible, but must be given by whoever uses its parent"
                );
                self.error(Code::RequiredInaccessible, at, message);
            }
            return;
        }
        let target = input.ty.inner_named_type();
        self.reference(coordinate, at, target);
        if let Some(default) = &input.default {
            self.default_value(coordinate, at, default, target);
        }
    }

    fn default_value(&mut self, coordinate: &str, at: Coordinate<'_>, value: &Value, target: &str) {
        let Some(ty) = self.supergraph.types.get(target) else {
            return;
        };
        match value {
            Value::Enum(name) if ty.values.get(name).is_some_and(is_hidden) => {
                let message =
                    format!("the default of \"{coordinate}\" is \"{target}.{name}\", which is @inaccessible");
                self.error(Code::DefaultValueUsesInaccessible, at, message);
            }
            Value::List(items) => {
                for item in items {
                    self.default_value(coordinate, at, item, target);
                }
            }
            Value::Object(entries) => {
                for (name, value) in entries {
                    let Some(input) = ty.inputs.get(name) else {
                        continue;
                    };
                    if is_hidden(input) {
                        let message = format!(
                            "the default of \"{coordinate}\" has \"{target}.{name}\", which is @inaccessible"
                        );
                        self.error(Code::DefaultValueUsesInaccessible, at, message);
                    }
                    self.default_value(coordinate, at, value, input.ty.inner_named_type());
                }
            }
            _ => {}
        }
    }
}
