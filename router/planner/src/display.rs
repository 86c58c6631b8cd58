//! Query plans as text for people and as JSON for tools.

use std::fmt::{self, Display, Formatter, Write};

use apollo_compiler::ast::Document;
use serde_json::{Value, json};

use crate::query_plan::{
    Condition, ContextVariable, EntityFetch, Fetch, FetchTarget, OutputRewrite, PathSegment, QueryPlan,
    Representation, RepresentationField,
};

impl QueryPlan {
    /// Number of subgraph requests.
    pub fn fetch_count(&self) -> usize {
        self.fetches.len()
    }

    /// Number of sequential waves: the longest chain of fetches.
    pub fn wave_count(&self) -> usize {
        self.waves().into_iter().max().unwrap_or(0)
    }

    /// Wave of each fetch, counted from 1.
    pub fn waves(&self) -> Vec<usize> {
        let mut waves: Vec<usize> = Vec::with_capacity(self.fetches.len());
        for fetch in &self.fetches {
            let wave = 1 + fetch.depends_on.iter().map(|id| waves[id.0]).max().unwrap_or(0);
            waves.push(wave);
        }
        waves
    }

    /// The plan as JSON.
    pub fn to_json(&self) -> Value {
        let waves = self.waves();
        json!({
            "operationType": self.operation_type.name(),
            "fetchCount": self.fetch_count(),
            "waveCount": self.wave_count(),
            "searchExhausted": self.search_exhausted,
            "overrideLabels": self.override_labels.iter().map(|label| &**label).collect::<Vec<_>>(),
            "fetches": self.fetches.iter().zip(waves).enumerate().map(|(id, (fetch, wave))| fetch_json(id, wave, fetch)).collect::<Vec<_>>(),
        })
    }
}

impl Display for QueryPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "fetches: {}, sequential waves: {}",
            self.fetch_count(),
            self.wave_count()
        )?;
        if self.search_exhausted {
            writeln!(f, "the search gave up candidates: a better plan may exist")?;
        }
        if !self.override_labels.is_empty() {
            writeln!(
                f,
                "depends on override labels: {}",
                self.override_labels.join(", ")
            )?;
        }
        for (id, (fetch, wave)) in self.fetches.iter().zip(self.waves()).enumerate() {
            write_fetch(f, id, wave, fetch)?;
        }
        Ok(())
    }
}

fn write_fetch(f: &mut Formatter<'_>, id: usize, wave: usize, fetch: &Fetch) -> fmt::Result {
    write!(f, "\nfetch {id} (wave {wave}): {}", fetch.subgraph)?;
    if !fetch.depends_on.is_empty() {
        let ids: Vec<String> = fetch.depends_on.iter().map(|id| id.0.to_string()).collect();
        write!(f, ", after {}", ids.join(", "))?;
    }
    writeln!(f, "{}", conditions(&fetch.conditions))?;
    match &fetch.target {
        FetchTarget::Root => {}
        FetchTarget::RootAt(paths) => writeln!(f, "  root fields at {}", joined(paths))?,
        FetchTarget::Entities(entities) => entities.iter().try_for_each(|entity| write_entity(f, entity))?,
    }
    for rewrite in &fetch.output_rewrites {
        let OutputRewrite::RenameKey { path: at, from, to } = rewrite;
        writeln!(f, "  rename {}.{from} to {to}", path(at))?;
    }
    let pretty = match Document::parse(fetch.operation.to_string(), "fetch") {
        Ok(document) => document.serialize().to_string(),
        Err(_) => fetch.operation.to_string(),
    };
    pretty
        .trim_end()
        .lines()
        .try_for_each(|line| writeln!(f, "  {line}"))
}

fn write_entity(f: &mut Formatter<'_>, entity: &EntityFetch) -> fmt::Result {
    let at = joined(&entity.paths);
    let conditions = conditions(&entity.conditions);
    writeln!(f, "  ${} at {at}{conditions}", entity.variable)?;
    for representation in &entity.representations {
        writeln!(f, "    {}", representation_text(representation))?;
    }
    for context in &entity.contexts {
        writeln!(f, "    {}", context_text(entity, context))?;
    }
    Ok(())
}

fn joined(paths: &[Vec<PathSegment>]) -> String {
    let paths: Vec<String> = paths.iter().map(|at| path(at)).collect();
    paths.join(" and ")
}

fn context_text(entity: &EntityFetch, context: &ContextVariable) -> String {
    let depth = |at: &Vec<PathSegment>| path(&at[..context.depth.min(at.len())]);
    let from = entity.paths.first().map(depth).unwrap_or_default();
    format!(
        "${} from {from}{}",
        context.variable,
        fields_text(&context.fields)
    )
}

fn representation_text(representation: &Representation) -> String {
    let on: Vec<&str> = representation.on_types.iter().map(|name| name.as_str()).collect();
    let mut text = String::new();
    if on != [representation.typename.as_str()] {
        text = format!("{} as ", on.join(" | "));
    }
    text.push_str(&representation.typename);
    text.push_str(&fields_text(&representation.fields));
    text
}

fn fields_text(fields: &[RepresentationField]) -> String {
    let mut text = String::from(" {");
    for field in fields {
        let on = if field.on_types.is_empty() {
            String::new()
        } else {
            let names: Vec<&str> = field.on_types.iter().map(|name| name.as_str()).collect();
            format!("[{}] ", names.join(" | "))
        };
        let from = if field.response_key == field.name {
            String::new()
        } else {
            format!(" = {}", field.response_key)
        };
        let required = if field.is_key { "" } else { "?" };
        let below = if field.fields.is_empty() {
            String::new()
        } else {
            fields_text(&field.fields)
        };
        write!(text, " {on}{}{required}{from}{below}", field.name).expect("writing to a string succeeds");
    }
    text + " }"
}

fn conditions(conditions: &[Condition]) -> String {
    let word = |condition: &Condition| if condition.expected { "if" } else { "unless" };
    conditions
        .iter()
        .map(|condition| format!(", {} ${}", word(condition), condition.variable))
        .collect()
}

fn path(segments: &[PathSegment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            PathSegment::Key(key) if text.is_empty() => text.push_str(key),
            PathSegment::Key(key) => write!(text, ".{key}").expect("writing to a string succeeds"),
            PathSegment::TypeCondition(types) => {
                let names: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
                write!(text, "[{}]", names.join(" | ")).expect("writing to a string succeeds");
            }
        }
    }
    text
}

fn fetch_json(id: usize, wave: usize, fetch: &Fetch) -> Value {
    let (at, entities) = match &fetch.target {
        FetchTarget::Root => (Value::Null, Value::Null),
        FetchTarget::RootAt(paths) => (joined(paths).into(), Value::Null),
        FetchTarget::Entities(entities) => (Value::Null, entities.iter().map(entity_json).collect()),
    };
    json!({
        "id": id,
        "wave": wave,
        "subgraph": &*fetch.subgraph,
        "dependsOn": fetch.depends_on.iter().map(|id| id.0).collect::<Vec<_>>(),
        "operationType": fetch.operation_type.name(),
        "operationName": fetch.operation_name.as_ref().map(|name| name.as_str()),
        "operation": &*fetch.operation,
        "variables": fetch.variables.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "conditions": conditions_json(&fetch.conditions),
        "rootFieldsAt": at,
        "entities": entities,
        "renames": fetch.output_rewrites.iter().map(rename_json).collect::<Vec<_>>(),
    })
}

fn entity_json(entity: &EntityFetch) -> Value {
    json!({
        "responseKey": entity.response_key.as_str(),
        "variable": entity.variable.as_str(),
        "paths": entity.paths.iter().map(|at| path(at)).collect::<Vec<_>>(),
        "representations": entity.representations.iter().map(representation_text).collect::<Vec<_>>(),
        "conditions": conditions_json(&entity.conditions),
        "contexts": entity.contexts.iter().map(|context| context_text(entity, context)).collect::<Vec<_>>(),
    })
}

fn conditions_json(conditions: &[Condition]) -> Value {
    let one = |condition: &Condition| json!({ "variable": condition.variable.as_str(), "expected": condition.expected });
    conditions.iter().map(one).collect()
}

fn rename_json(rewrite: &OutputRewrite) -> Value {
    let OutputRewrite::RenameKey { path: at, from, to } = rewrite;
    json!({ "path": path(at), "from": from.as_str(), "to": to.as_str() })
}
