//! `@key`, `@requires` and `@provides`: their field sets must parse, exist and select what the directive allows.

use apollo_compiler::Node;
use apollo_compiler::ast::Directive;

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::field_set::{FieldItem, FieldSet, Item};
use crate::merge::Member;
use crate::model::{FieldDef, Kind, TypeDef, string_argument};

/// What differs between the three directives.
struct Rule {
    directive: &'static str,
    shown: &'static str,
    on_interface: Code,
    fields_type: Code,
    invalid: Code,
    /// Where arguments are refused.
    arguments: Option<Code>,
    directives: Code,
    /// Where every leaf must be external.
    missing_external: Option<Code>,
}

const KEY: Rule = Rule {
    directive: "federation__key",
    shown: "@key",
    on_interface: Code::KeyUnsupportedOnInterface,
    fields_type: Code::KeyInvalidFieldsType,
    invalid: Code::KeyInvalidFields,
    arguments: Some(Code::KeyFieldsHasArgs),
    directives: Code::KeyDirectiveInFieldsArg,
    missing_external: None,
};

const REQUIRES: Rule = Rule {
    directive: "federation__requires",
    shown: "@requires",
    on_interface: Code::RequiresUnsupportedOnInterface,
    fields_type: Code::RequiresInvalidFieldsType,
    invalid: Code::RequiresInvalidFields,
    arguments: None,
    directives: Code::RequiresDirectiveInFieldsArg,
    missing_external: Some(Code::RequiresFieldsMissingExternal),
};

const PROVIDES: Rule = Rule {
    directive: "federation__provides",
    shown: "@provides",
    on_interface: Code::ProvidesUnsupportedOnInterface,
    fields_type: Code::ProvidesInvalidFieldsType,
    invalid: Code::ProvidesInvalidFields,
    arguments: Some(Code::ProvidesFieldsHasArgs),
    directives: Code::ProvidesDirectiveInFieldsArg,
    missing_external: Some(Code::ProvidesFieldsMissingExternal),
};

/// Checks every field set of the subgraph.
pub(super) fn check(member: &Member, errors: &mut Vec<Diagnostic>) {
    for ty in member.subgraph.types.values() {
        for directive in ty.directives.get_all(KEY.directive) {
            let too_old = ty.kind == Kind::Interface && member.subgraph.version < (2, 3);
            if too_old && !member.subgraph.federation1 {
                let message = format!("@key on interface \"{}\" needs federation v2.3", ty.name);
                errors.push(
                    member
                        .subgraph
                        .error(KEY.on_interface, directive.location(), message),
                );
            }
            Check {
                member,
                rule: &KEY,
                directive,
                place: ty.name.to_string(),
                errors,
            }
            .run(ty);
        }
        for field in ty.fields.values() {
            check_field(member, ty, field, errors);
        }
    }
}

fn check_field(member: &Member, ty: &TypeDef, field: &FieldDef, errors: &mut Vec<Diagnostic>) {
    let place = format!("{}.{}", ty.name, field.name);
    for rule in [&REQUIRES, &PROVIDES] {
        let Some(directive) = field.directives.get(rule.directive) else {
            continue;
        };
        if ty.kind == Kind::Interface {
            let message = format!(
                "{} cannot be used on \"{place}\": it is a field of an interface",
                rule.shown
            );
            errors.push(
                member
                    .subgraph
                    .error(rule.on_interface, directive.location(), message),
            );
        }
        if rule.directive == PROVIDES.directive && member.facts.is_external(ty, field) {
            let message =
                format!("\"{place}\" is @external: where it is not resolved, nothing can be @provides");
            let code = Code::ExternalCollisionWithAnotherDirective;
            errors.push(member.subgraph.error(code, directive.location(), message));
            continue;
        }
        let target = match rule.directive {
            "federation__requires" => Some(ty),
            _ => member
                .subgraph
                .types
                .get(field.ty.inner_named_type())
                .filter(|target| target.kind.is_composite()),
        };
        match target {
            Some(target) => Check {
                member,
                rule,
                directive,
                place: place.clone(),
                errors,
            }
            .run(target),
            None => {
                let message = format!(
                    "@provides on \"{place}\" has nothing to select from: its type is \"{}\"",
                    field.ty
                );
                errors.push(member.subgraph.error(
                    Code::ProvidesOnNonObjectField,
                    directive.location(),
                    message,
                ));
            }
        }
    }
}

/// The check of one application.
struct Check<'a> {
    member: &'a Member,
    rule: &'a Rule,
    directive: &'a Node<Directive>,
    place: String,
    errors: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn run(&mut self, parent: &TypeDef) {
        let Some(fields) = string_argument(self.directive, "fields") else {
            return self.error(self.rule.fields_type, "its \"fields\" must be a string");
        };
        let set = match FieldSet::parse(fields) {
            Ok(set) => set,
            Err(message) => return self.error(self.rule.invalid, message),
        };
        let problems = set.problems(&self.member.subgraph, parent);
        if self.rule.directive == KEY.directive {
            self.abstract_fields(&set, parent);
        }
        if problems.is_empty() {
            return self.selections(&set, parent, false);
        }
        for problem in problems {
            self.error(self.rule.invalid, problem);
        }
    }

    fn error(&mut self, code: Code, message: impl std::fmt::Display) {
        let fields = string_argument(self.directive, "fields")
            .map_or(String::new(), |fields| format!("(fields: \"{fields}\")"));
        let message = format!("{}{fields} on \"{}\": {message}", self.rule.shown, self.place);
        self.errors.push(
            self.member
                .subgraph
                .error(code, self.directive.location(), message),
        );
    }

    /// Keys identify by what their fields are, which abstract types do not say.
    fn abstract_fields(&mut self, set: &FieldSet, parent: &TypeDef) {
        let subgraph = &self.member.subgraph;
        let mut found = Vec::new();
        set.walk(subgraph, parent, &mut |ty, field| {
            let target = subgraph.types.get(field.ty.inner_named_type());
            if target.is_some_and(|target| target.kind.is_abstract()) {
                found.push(format!(
                    "\"{}.{}\" is of type \"{}\", and abstract types identify nothing",
                    ty.name, field.name, field.ty
                ));
            }
        });
        for message in found {
            self.error(Code::KeyFieldsSelectInvalidType, message);
        }
    }

    /// What the directive allows, of a selection that is valid by itself.
    fn selections(&mut self, set: &FieldSet, parent: &TypeDef, external_above: bool) {
        for item in &set.0 {
            match item {
                Item::Field(field) => self.field(field, parent, external_above),
                Item::Fragment { on, directives, sub } => {
                    if *directives {
                        self.error(self.rule.directives, "directives cannot be used in it");
                    }
                    let on = on.as_ref().unwrap_or(&parent.name);
                    if let Some(target) = self.member.subgraph.types.get(on) {
                        self.selections(sub, target, external_above);
                    }
                }
            }
        }
    }

    fn field(&mut self, item: &FieldItem, parent: &TypeDef, external_above: bool) {
        let Some(field) = parent.fields.get(&item.name) else {
            return;
        };
        let coordinate = format!("{}.{}", parent.name, item.name);
        if item.aliased {
            self.error(
                self.rule.invalid,
                format!("\"{coordinate}\" cannot have an alias in it"),
            );
        }
        if item.directives {
            self.error(self.rule.directives, "directives cannot be used in it");
        }
        if let Some(code) = self.rule.arguments
            && !field.arguments.is_empty()
        {
            self.error(
                code,
                format!("\"{coordinate}\" takes arguments, which it cannot give"),
            );
        }
        let target = self.member.subgraph.types.get(field.ty.inner_named_type());
        let target = target.filter(|target| target.kind.is_composite());
        let external = external_above || self.member.facts.is_external(parent, field);
        match target {
            Some(target) => {
                let external = external || self.is_implemented_externally(parent, field);
                self.selections(&item.sub, target, external);
            }
            None if !external => self.missing_external(&coordinate),
            None => {}
        }
    }

    /// A field of an interface that is external in an implementation: what is below it may be external, too.
    fn is_implemented_externally(&self, parent: &TypeDef, field: &FieldDef) -> bool {
        let Member { subgraph, facts } = self.member;
        let mut objects = subgraph.runtime_types(&parent.name).into_iter();
        parent.kind == Kind::Interface
            && objects.any(|object| {
                let object = &subgraph.types[object];
                let field = object.fields.get(&field.name);
                field.is_some_and(|field| facts.is_external(object, field))
            })
    }

    /// Federation 1 ignored such selections, so its subgraphs are not held to the rule.
    fn missing_external(&mut self, coordinate: &str) {
        if let Some(code) = self.rule.missing_external
            && !self.member.subgraph.federation1
        {
            self.error(
                code,
                format!("\"{coordinate}\" must be @external, as this subgraph resolves it anyway"),
            );
        }
    }
}
