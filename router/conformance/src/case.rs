//! A case as a folder: schemas, data and one operation, all text a person can read and change.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::data::{Data, Datum};
use crate::layout::layouts;
use crate::sdl;
use crate::transport::Fault;
use crate::world::{Object, World};

/// Everything a check needs.
#[derive(Debug, Clone)]
pub struct Case {
    /// The schemas and the data.
    pub schemas: Schemas,
    /// GraphQL text.
    pub operation: String,
    /// Variables of the request.
    pub variables: Json,
    /// The call to a subgraph that fails, if any.
    pub fault: Option<Fault>,
}

/// A graph, unsplit and split, and its data.
#[derive(Debug, Clone)]
pub struct Schemas {
    /// The unsplit schema.
    pub whole: String,
    /// Name and SDL of each subgraph.
    pub subgraphs: Vec<(String, String)>,
    /// What every server answers from.
    pub data: Data,
    /// Labels of progressive overrides that are active.
    pub active_labels: Vec<String>,
}

#[derive(Serialize, Deserialize, Default)]
struct Request {
    #[serde(default)]
    variables: Json,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    active_labels: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
}

impl Schemas {
    /// The text of a world.
    pub fn of(world: &World) -> Schemas {
        let layouts = layouts(world);
        let subgraph = |sub| (sdl::subgraph_name(sub), sdl::subgraph(world, &layouts, sub));
        Schemas {
            whole: sdl::whole(world),
            subgraphs: (0..world.subgraphs).map(subgraph).collect(),
            data: world
                .objects
                .iter()
                .map(|object| (object.name.clone(), known_fields(world, object)))
                .collect(),
            active_labels: world.active_labels.clone(),
        }
    }
}

/// Instances without what is no longer a field.
fn known_fields(world: &World, object: &Object) -> Vec<BTreeMap<String, Datum>> {
    let added: Vec<_> = world
        .added_to(&object.name)
        .map(|(_, field)| field.name.as_str())
        .collect();
    let known = |name: &String| object.field(name).is_some() || added.contains(&name.as_str());
    let mut instances = object.instances.clone();
    instances
        .iter_mut()
        .for_each(|instance| instance.retain(|name, _| known(name)));
    instances
}

impl Case {
    /// Writes the folder.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("whole.graphql"), self.schemas.whole.trim_start())?;
        for (name, sdl) in &self.schemas.subgraphs {
            fs::write(folder.join(format!("subgraph-{name}.graphql")), sdl)?;
        }
        fs::write(
            folder.join("operation.graphql"),
            self.operation.trim_end().to_owned() + "\n",
        )?;
        fs::write(
            folder.join("data.json"),
            serde_json::to_string_pretty(&self.schemas.data)? + "\n",
        )?;
        let request = Request {
            variables: self.variables.clone(),
            active_labels: self.schemas.active_labels.clone(),
            fault: self.fault,
        };
        fs::write(
            folder.join("request.json"),
            serde_json::to_string_pretty(&request)? + "\n",
        )
    }

    /// Reads a folder.
    pub fn read(folder: &Path) -> io::Result<Case> {
        let mut subgraphs = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if let Some(name) = name
                .strip_prefix("subgraph-")
                .and_then(|name| name.strip_suffix(".graphql"))
            {
                subgraphs.push((name.to_owned(), fs::read_to_string(&path)?));
            }
        }
        subgraphs.sort();
        let request: Request = serde_json::from_str(&fs::read_to_string(folder.join("request.json"))?)?;
        Ok(Case {
            schemas: Schemas {
                whole: fs::read_to_string(folder.join("whole.graphql"))?,
                subgraphs,
                data: serde_json::from_str(&fs::read_to_string(folder.join("data.json"))?)?,
                active_labels: request.active_labels,
            },
            operation: fs::read_to_string(folder.join("operation.graphql"))?,
            variables: request.variables,
            fault: request.fault,
        })
    }
}
