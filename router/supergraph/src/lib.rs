//! Reads supergraphs and answers questions about them: who resolves which field, how to reach an entity, what clients see.
//!
//! - `link`: which specifications the document imports, and under which names
//! - `join_spec`: `join__*` directives into the model
//! - `model`: types, fields and keys, by subgraph
//! - `contexts`: arguments that take their values from a context
//! - `field_set`: selection sets inside `key:`, `requires:` and `provides:`
//! - `api_schema`: the schema clients see
//! - `requirements`: `@authenticated`, `@requiresScopes`, `@policy` by coordinate

mod api_schema;
mod contexts;
mod error;
mod field_set;
mod interface_objects;
mod join_spec;
mod link;
mod model;
mod requirements;

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashMap;

use contexts::Contexts;
pub use error::SupergraphError;
pub use model::{
    ContextArgument, FieldModel, FieldSet, FieldSource, Key, OverrideRule, Subgraph, SubgraphId, TypeModel,
    TypeSource,
};
pub use requirements::{Requirement, Requirements};

/// A supergraph, read and indexed.
#[derive(Debug)]
pub struct Supergraph {
    schema: Valid<Schema>,
    api_schema: Arc<Valid<Schema>>,
    subgraphs: Vec<Subgraph>,
    types: FxHashMap<Name, TypeModel>,
    override_labels: Vec<Arc<str>>,
    has_contexts: bool,
    requirements: Requirements,
}

impl Supergraph {
    /// Reads a supergraph of join spec v0.1 to v0.5. `source_name` appears in error messages.
    pub fn parse(sdl: &str, source_name: &str) -> Result<Supergraph, SupergraphError> {
        let schema = Schema::parse_and_validate(sdl, source_name)
            .map_err(|with_errors| SupergraphError::Invalid(with_errors.errors.to_string()))?;
        let links = link::Links::of(&schema);
        let join = links
            .join_prefix()
            .ok_or_else(|| SupergraphError::NotASupergraph(source_name.to_owned()))?;
        let subgraphs = join_spec::subgraphs(&schema, &join)?;
        let contexts = Contexts::of(&schema, &links);
        let mut types = join_spec::types(&schema, &join, &subgraphs, &contexts)?;
        interface_objects::spread(&schema, &mut types);
        let override_labels = override_labels(&types);
        let has_contexts = has_contexts(&types);
        let requirements = Requirements::of(&schema, &links);
        let api_schema = Arc::new(api_schema::of(&schema, &links)?);
        Ok(Supergraph {
            schema,
            api_schema,
            subgraphs,
            types,
            override_labels,
            has_contexts,
            requirements,
        })
    }

    /// The supergraph document itself, machinery included.
    pub fn schema(&self) -> &Valid<Schema> {
        &self.schema
    }

    /// The schema clients see: without federation machinery and `@inaccessible` elements.
    pub fn api_schema(&self) -> &Arc<Valid<Schema>> {
        &self.api_schema
    }

    /// Every subgraph, indexed by [`SubgraphId`].
    pub fn subgraphs(&self) -> &[Subgraph] {
        &self.subgraphs
    }

    /// The subgraph with this id.
    pub fn subgraph(&self, id: SubgraphId) -> &Subgraph {
        &self.subgraphs[id.0 as usize]
    }

    /// What is known of a composite type, by subgraph.
    pub fn type_model(&self, name: &str) -> Option<&TypeModel> {
        self.types.get(name)
    }

    /// A field of a composite type, or of the object types a value of it can have.
    pub fn field(&self, ty: &str, field: &str) -> Option<&FieldModel> {
        let of = |ty: &str| self.types.get(ty)?.fields.get(field);
        of(ty).or_else(|| self.possible_types(ty).iter().find_map(|object| of(object)))
    }

    /// Object types a value of composite type `name` can have anywhere: itself for an object type.
    pub fn possible_types(&self, name: &str) -> &[Name] {
        self.types.get(name).map_or(&[], |model| &model.possible_types)
    }

    /// Labels of progressive `@override`s, sorted: whoever plans decides which of them are active.
    pub fn override_labels(&self) -> &[Arc<str>] {
        &self.override_labels
    }

    /// Whether any argument takes its value from a context.
    pub fn has_contexts(&self) -> bool {
        self.has_contexts
    }

    /// Security directives, by coordinate.
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }
}

fn override_labels(types: &FxHashMap<Name, TypeModel>) -> Vec<Arc<str>> {
    let fields = types.values().flat_map(|model| model.fields.values());
    let rules = fields
        .flat_map(|field| field.sources.values())
        .filter_map(|source| source.override_rule.as_ref());
    let labels: BTreeSet<Arc<str>> = rules.map(|rule| rule.label.clone()).collect();
    labels.into_iter().collect()
}

/// Asked by every plan, hence found once: a large graph has many fields.
fn has_contexts(types: &FxHashMap<Name, TypeModel>) -> bool {
    let fields = types.values().flat_map(|model| model.fields.values());
    let mut sources = fields.flat_map(|field| field.sources.values());
    sources.any(|source| !source.context_arguments.is_empty())
}
