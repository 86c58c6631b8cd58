//! Whether the fields of a key, a requirement or a context can be had from the places at hand.

use apollo_compiler::Name;

use super::contexts::Contexts;
use super::places::Places;
use super::resolve::Resolver;
use crate::field_set::{FieldSet, Item};

impl Resolver<'_> {
    /// Whether the field set can be had from the places.
    pub(super) fn satisfies(&mut self, set: &FieldSet, ty: &Name, places: &Places) -> bool {
        set.0.iter().all(|item| match item {
            Item::Field(field) if field.name == "__typename" => true,
            Item::Field(field) => self.satisfies_field(&field.name, &field.sub, ty, places),
            Item::Fragment { on, sub, .. } => {
                let on = on.as_ref().unwrap_or(ty);
                if on == ty {
                    return self.satisfies(sub, ty, places);
                }
                // A condition no object can fulfil here cannot be asked about; below a known object, it need not be.
                let mut met = !self.is_abstract(ty);
                self.shared_runtime_types(ty, on).iter().all(|object| {
                    let narrowed = if object == ty {
                        places.clone()
                    } else {
                        let narrowed = self.narrow(places, object);
                        self.reachable(object, &narrowed)
                    };
                    met |= !narrowed.is_empty();
                    narrowed.is_empty() || self.satisfies(sub, object, &narrowed)
                }) && met
            }
        })
    }

    fn is_abstract(&self, ty: &Name) -> bool {
        self.supergraph
            .types
            .get(ty)
            .is_some_and(|ty| ty.kind.is_abstract())
    }

    fn satisfies_field(&mut self, field: &Name, sub: &FieldSet, ty: &Name, places: &Places) -> bool {
        let next = self.resolve(ty, field, places, &Contexts::new());
        if next.is_empty() {
            // Of an abstract type, each object may have it from elsewhere.
            return self.is_abstract(ty) && self.satisfies_each_object(field, sub, ty, places);
        }
        if sub.is_empty() {
            return true;
        }
        let declared = self.supergraph.types.get(ty).and_then(|ty| ty.fields.get(field));
        let Some(target) = declared.map(|field| field.ty.inner_named_type().clone()) else {
            return false;
        };
        let next = self.reachable(&target, &next);
        self.satisfies(sub, &target, &next)
    }

    fn satisfies_each_object(&mut self, field: &Name, sub: &FieldSet, ty: &Name, places: &Places) -> bool {
        let mut met = false;
        for object in self.runtime_types(ty) {
            let narrowed = self.narrow(places, &object);
            if narrowed.is_empty() {
                continue;
            }
            met = true;
            let narrowed = self.reachable(&object, &narrowed);
            if !self.satisfies_field(field, sub, &object, &narrowed) {
                return false;
            }
        }
        met
    }

    /// Objects that are both.
    fn shared_runtime_types(&self, a: &Name, b: &Name) -> Vec<Name> {
        let of = |name: &Name| {
            self.runtime
                .get(name)
                .cloned()
                .unwrap_or_else(|| vec![name.clone()])
        };
        let other = of(b);
        of(a)
            .into_iter()
            .filter(|object| other.contains(object))
            .collect()
    }
}
