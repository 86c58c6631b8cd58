//! `@inaccessible`: nothing visible may need something hidden.

use apollo_compiler::ast::Value;

use crate::diagnostic::{Code, Diagnostic, graph_error};
use crate::merge::{Member, Supergraph};
use crate::model::{FieldDef, InputDef, TypeDef};

const HIDDEN: &str = "federation__inaccessible";

/// Checks every visible element of the merged graph.
pub(super) fn check(supergraph: &Supergraph, _members: &[Member], errors: &mut Vec<Diagnostic>) {
    let mut check = Check { supergraph, errors };
    for ty in supergraph.types.values().filter(|ty| !ty.directives.has(HIDDEN)) {
        for field in ty.fields.values() {
            check.field(ty, field);
        }
        for input in ty.inputs.values() {
            check.input(&format!("{}.{}", ty.name, input.name), input);
        }
    }
}

struct Check<'a> {
    supergraph: &'a Supergraph,
    errors: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn error(&mut self, code: Code, message: String) {
        self.errors.push(graph_error(code, message));
    }

    fn is_hidden_type(&self, name: &str) -> bool {
        self.supergraph
            .types
            .get(name)
            .is_some_and(|ty| ty.directives.has(HIDDEN))
    }

    fn field(&mut self, ty: &TypeDef, field: &FieldDef) {
        let coordinate = format!("{}.{}", ty.name, field.name);
        if field.directives.has(HIDDEN) {
            return self.implemented(ty, field, &coordinate);
        }
        self.reference(&coordinate, field.ty.inner_named_type());
        for argument in field.arguments.values() {
            self.input(&format!("{coordinate}({}:)", argument.name), argument);
            if argument.directives.has(HIDDEN) {
                self.implemented_argument(ty, field, argument);
            }
        }
    }

    fn reference(&mut self, coordinate: &str, target: &str) {
        if self.is_hidden_type(target) {
            let message = format!("\"{coordinate}\" is visible, but its type \"{target}\" is @inaccessible");
            self.error(Code::ReferencedInaccessible, message);
        }
    }

    /// A hidden field or argument must not be required by a visible interface's field.
    fn implemented(&mut self, ty: &TypeDef, field: &FieldDef, coordinate: &str) {
        for name in &ty.implements {
            let Some(interface) = self
                .supergraph
                .types
                .get(name)
                .filter(|ty| !ty.directives.has(HIDDEN))
            else {
                continue;
            };
            if interface
                .fields
                .get(&field.name)
                .is_some_and(|field| !field.directives.has(HIDDEN))
            {
                let message = format!(
                    "\"{coordinate}\" is @inaccessible, but implements \"{name}.{}\", which is visible",
                    field.name
                );
                self.error(Code::ImplementedByInaccessible, message);
            }
        }
    }

    fn implemented_argument(&mut self, ty: &TypeDef, field: &FieldDef, argument: &InputDef) {
        for name in &ty.implements {
            let Some(interface) = self
                .supergraph
                .types
                .get(name)
                .filter(|ty| !ty.directives.has(HIDDEN))
            else {
                continue;
            };
            let implemented = interface
                .fields
                .get(&field.name)
                .and_then(|field| field.arguments.get(&argument.name));
            if implemented.is_some_and(|argument| !argument.directives.has(HIDDEN)) {
                let message = format!(
                    "argument \"{}.{}({}:)\" is @inaccessible, but implements a visible one of \"{name}\"",
                    ty.name, field.name, argument.name
                );
                self.error(Code::ImplementedByInaccessible, message);
            }
        }
    }

    fn input(&mut self, coordinate: &str, input: &InputDef) {
        if input.directives.has(HIDDEN) {
            if input.is_required() {
                let message = format!(
                    "\"{coordinate}\" is @inaccessible, but must be given by whoever uses its parent"
                );
                self.error(Code::RequiredInaccessible, message);
            }
            return;
        }
        let target = input.ty.inner_named_type();
        self.reference(coordinate, target);
        if let Some(default) = &input.default {
            self.default_value(coordinate, default, target);
        }
    }

    fn default_value(&mut self, coordinate: &str, value: &Value, target: &str) {
        let Some(ty) = self.supergraph.types.get(target) else {
            return;
        };
        match value {
            Value::Enum(name)
                if ty
                    .values
                    .get(name)
                    .is_some_and(|value| value.directives.has(HIDDEN)) =>
            {
                let message =
                    format!("the default of \"{coordinate}\" is \"{target}.{name}\", which is @inaccessible");
                self.error(Code::DefaultValueUsesInaccessible, message);
            }
            Value::List(items) => items
                .iter()
                .for_each(|item| self.default_value(coordinate, item, target)),
            Value::Object(entries) => {
                for (name, value) in entries {
                    let Some(input) = ty.inputs.get(name) else {
                        continue;
                    };
                    if input.directives.has(HIDDEN) {
                        let message = format!(
                            "the default of \"{coordinate}\" has \"{target}.{name}\", which is @inaccessible"
                        );
                        self.error(Code::DefaultValueUsesInaccessible, message);
                    }
                    self.default_value(coordinate, value, input.ty.inner_named_type());
                }
            }
            _ => {}
        }
    }
}
