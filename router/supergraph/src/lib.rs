//! Reads supergraphs and answers questions about them: who resolves which field, how to reach an entity, what clients see.
//!
//! - `link`: which specifications the document imports, and under which names
//! - `join_spec`: `join__*` directives into the model
//! - `model`: types, fields and keys, by subgraph
//! - `field_set`: selection sets inside `key:`, `requires:` and `provides:`
//! - `api_schema`: the schema clients see
//! - `requirements`: `@authenticated`, `@requiresScopes`, `@policy` by coordinate

mod api_schema;
mod error;
mod field_set;
mod interface_objects;
mod join_spec;
mod link;
mod model;
mod requirements;

use std::sync::Arc;

use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashMap;

pub use error::SupergraphError;
pub use model::{
    FieldModel, FieldSet, FieldSource, Key, OverrideRule, Subgraph, SubgraphId, TypeModel, TypeSource,
};
pub use requirements::{Requirement, Requirements};

/// A supergraph, read and indexed.
#[derive(Debug)]
pub struct Supergraph {
    schema: Valid<Schema>,
    api_schema: Arc<Valid<Schema>>,
    subgraphs: Vec<Subgraph>,
    types: FxHashMap<Name, TypeModel>,
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
        let mut types = join_spec::types(&schema, &join, &subgraphs)?;
        interface_objects::spread(&schema, &mut types);
        let requirements = Requirements::of(&schema, &links);
        let api_schema = Arc::new(api_schema::of(&schema, &links)?);
        Ok(Supergraph {
            schema,
            api_schema,
            subgraphs,
            types,
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

    /// Object types a value of composite type `name` can have anywhere: itself for an object type.
    pub fn possible_types(&self, name: &str) -> &[Name] {
        self.types.get(name).map_or(&[], |model| &model.possible_types)
    }

    /// Security directives, by coordinate.
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }
}
