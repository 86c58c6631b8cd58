//! Spreads the fields of interface objects to the object types that implement the interface.
//!
//! A subgraph with `type Media @interfaceObject` resolves its fields for every type that implements `Media`,
//! under the name `Media`. Planning looks at object types, so each of them learns of that source here.

use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashMap;

use crate::model::{FieldSource, SubgraphId, TypeModel};

/// A field that an interface object offers.
struct Offer {
    interface: Name,
    subgraph: SubgraphId,
    fields: Vec<(Name, FieldSource)>,
}

/// Adds each interface object as a source of its implementers.
pub(crate) fn spread(schema: &Valid<Schema>, types: &mut FxHashMap<Name, TypeModel>) {
    let mut offers: Vec<Offer> = types.values().flat_map(offers_of).collect();
    offers.sort_by(|a, b| a.interface.cmp(&b.interface));
    for offer in offers {
        for implementer in types[&offer.interface].possible_types.clone() {
            if schema.get_object(&implementer).is_some()
                && let Some(model) = types.get_mut(&implementer)
            {
                accept(model, &offer);
            }
        }
    }
}

fn offers_of(model: &TypeModel) -> Vec<Offer> {
    let interface_objects = model
        .sources
        .iter()
        .filter(|(_, source)| source.is_interface_object);
    interface_objects
        .map(|(&subgraph, _)| Offer {
            interface: model.name.clone(),
            subgraph,
            fields: model
                .fields
                .iter()
                .filter_map(|(name, field)| Some((name.clone(), field.sources.get(&subgraph)?.clone())))
                .collect(),
        })
        .collect()
}

fn accept(model: &mut TypeModel, offer: &Offer) {
    if model.sources.contains_key(&offer.subgraph) {
        return;
    }
    let interfaces = model.interface_objects.entry(offer.subgraph).or_default();
    interfaces.push(offer.interface.clone());
    for (name, source) in &offer.fields {
        let Some(field) = model.fields.get_mut(name) else {
            continue;
        };
        match field.sources.get_mut(&offer.subgraph) {
            Some(known) if is_plain(known) && is_plain(source) => {
                known.via_interfaces.push(offer.interface.clone());
            }
            Some(known) if !known.external => {}
            _ => {
                let source = FieldSource {
                    via_interfaces: vec![offer.interface.clone()],
                    ..source.clone()
                };
                field.sources.insert(offer.subgraph, source);
            }
        }
    }
}

/// Resolved by itself: it makes no difference through which of several interface objects.
fn is_plain(source: &FieldSource) -> bool {
    !source.external && source.requires.is_none() && source.context_arguments.is_empty()
}
