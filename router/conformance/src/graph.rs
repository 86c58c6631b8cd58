//! A graph under test: its servers, and the router's planner and executor in front of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use fondaco_composition::{SubgraphSource, compose};
use fondaco_executor::transport::Transport;
use fondaco_executor::{ExecutionRequest, Executor, ExecutorConfig, PreparedOperation, RequestHeaders};
use fondaco_planner::{OverrideLabels, Planner, PlannerConfig};
use fondaco_supergraph::Supergraph;
use http::HeaderMap;
use serde_json::Value as Json;

use crate::case::Schemas;
use crate::compare::{difference, is_weakened};
use crate::data::Data;
use crate::server::{Coordinates, Server};
use crate::transport::{Fault, InMemory};

/// What went wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where it went wrong.
    pub stage: Stage,
    /// How.
    pub message: String,
}

/// Part of the check that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// The case itself is not sound: a schema or operation is invalid.
    Case,
    /// A valid split was refused.
    Composition,
    /// The composed supergraph cannot be read.
    Supergraph,
    /// No plan, for a valid operation.
    Plan,
    /// Something panicked.
    Panic,
    /// A subgraph was asked for what it does not have.
    Violation,
    /// The answer is not the one server's answer.
    Answer,
    /// With a subgraph failing, the answer is not a part of the one server's answer.
    Fault,
    /// The two oracles disagree.
    Oracle,
}

/// A composed graph with its servers.
pub struct Graph {
    data: Arc<Data>,
    whole: Server,
    subgraphs: Arc<BTreeMap<String, Server>>,
    planner: Planner,
    labels: OverrideLabels,
    dynamic: async_graphql::dynamic::Schema,
    runtime: tokio::runtime::Runtime,
}

struct NoHeaders;

impl RequestHeaders for NoHeaders {
    fn headers(&self, _subgraph: &str, _path: &str) -> HeaderMap {
        HeaderMap::new()
    }
}

impl Graph {
    /// Composes the subgraphs and starts every server.
    pub fn new(schemas: &Schemas) -> Result<Graph, Failure> {
        guarded(|| Graph::build(schemas))
    }

    fn build(schemas: &Schemas) -> Result<Graph, Failure> {
        let whole = Server::whole(&schemas.whole).map_err(Failure::at(Stage::Case))?;
        let overridden = overridden(schemas);
        let mut subgraphs = BTreeMap::new();
        for (name, sdl) in &schemas.subgraphs {
            let mine = overridden.get(name).cloned().unwrap_or_default();
            let server = Server::subgraph(name, sdl, &mine).map_err(Failure::at(Stage::Case))?;
            subgraphs.insert(name.clone(), server);
        }
        let sources = schemas.subgraphs.iter().map(|(name, sdl)| SubgraphSource {
            name: name.clone(),
            url: format!("http://{name}/graphql"),
            sdl: sdl.clone(),
            file: None,
        });
        let composed = compose(sources.collect()).map_err(|errors| Failure {
            stage: Stage::Composition,
            message: errors.iter().map(|error| format!("{error}\n")).collect(),
        })?;
        let supergraph = Supergraph::parse(&composed.supergraph_sdl, "supergraph.graphql")
            .map_err(|error| error.to_string())
            .map_err(Failure::at(Stage::Supergraph))?;
        let dynamic = crate::oracle::schema(whole.schema(), Arc::new(schemas.data.clone()))
            .map_err(Failure::at(Stage::Oracle))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| error.to_string())
            .map_err(Failure::at(Stage::Case))?;
        Ok(Graph {
            data: Arc::new(schemas.data.clone()),
            whole,
            subgraphs: Arc::new(subgraphs),
            planner: Planner::new(Arc::new(supergraph), PlannerConfig::default()),
            labels: schemas
                .active_labels
                .iter()
                .map(|label| Arc::from(label.as_str()))
                .collect(),
            dynamic,
            runtime,
        })
    }

    /// The unsplit schema.
    pub fn schema(&self) -> &apollo_compiler::validation::Valid<apollo_compiler::Schema> {
        self.whole.schema()
    }

    /// Whether an operation is valid against the unsplit schema.
    pub fn is_valid(&self, operation: &str) -> bool {
        ExecutableDocument::parse_and_validate(self.whole.schema(), operation, "operation.graphql").is_ok()
    }

    /// Runs one operation everywhere and compares. `fault` makes one subgraph call fail.
    pub fn check(&self, operation: &str, variables: &Json, fault: Option<Fault>) -> Result<(), Failure> {
        guarded(|| {
            if !self.is_valid(operation) {
                return Err(Failure {
                    stage: Stage::Case,
                    message: format!("invalid operation {operation}"),
                });
            }
            let expected = self.expected(operation, variables)?;
            let prepared = self.prepare(operation)?;
            let found = self.run(&prepared, variables, None)?;
            if let Some(difference) = difference(&expected, &found) {
                return Err(Failure {
                    stage: Stage::Answer,
                    message: difference,
                });
            }
            let Some(fault) = fault else { return Ok(()) };
            let found = self.run(&prepared, variables, Some(fault))?;
            is_weakened(&expected, &found).map_err(Failure::at(Stage::Fault))
        })
    }

    /// The plan, as text.
    pub fn plan(&self, operation: &str) -> Result<String, Failure> {
        Ok(self.prepare(operation)?.plan().to_string())
    }

    /// What the one server answers.
    pub fn answer(&self, operation: &str, variables: &Json) -> Json {
        self.whole.answer(&self.data, operation, variables)
    }

    fn expected(&self, operation: &str, variables: &Json) -> Result<Json, Failure> {
        let expected = self.whole.answer(&self.data, operation, variables);
        if let Some(violation) = self.whole.take_violations().into_iter().next() {
            return Err(Failure {
                stage: Stage::Case,
                message: violation,
            });
        }
        let other = crate::oracle_answer::answer(&self.dynamic, self.whole.schema(), operation, variables);
        let other = self.runtime.block_on(other).map_err(Failure::at(Stage::Oracle))?;
        match difference(&other, &expected) {
            Some(difference) => Err(Failure::at(Stage::Oracle)(difference)),
            None => Ok(expected),
        }
    }

    fn prepare(&self, operation: &str) -> Result<PreparedOperation, Failure> {
        let schema = self.planner.supergraph().api_schema().clone();
        let document = ExecutableDocument::parse_and_validate(&schema, operation, "operation.graphql")
            .map_err(|error| format!("refused by the API schema: {}", error.errors))
            .map_err(Failure::at(Stage::Plan))?;
        let plan = self
            .planner
            .plan(&document, None, &self.labels)
            .map_err(|error| error.to_string())
            .map_err(Failure::at(Stage::Plan))?;
        PreparedOperation::new(schema, Arc::new(document), None, plan)
            .map_err(|error| error.to_string())
            .map_err(Failure::at(Stage::Plan))
    }

    fn run(
        &self,
        prepared: &PreparedOperation,
        variables: &Json,
        fault: Option<Fault>,
    ) -> Result<Json, Failure> {
        let transport = Arc::new(InMemory::new(self.subgraphs.clone(), self.data.clone(), fault));
        let executor = self.executor(transport);
        let variables = variables.to_string();
        let request = ExecutionRequest {
            variables: Some(&variables),
            headers: &NoHeaders,
            errors: Vec::new(),
        };
        let response = self.runtime.block_on(executor.execute(prepared, request));
        let violations: Vec<_> = self
            .subgraphs
            .values()
            .flat_map(Server::take_violations)
            .collect();
        if !violations.is_empty() {
            return Err(Failure {
                stage: Stage::Violation,
                message: violations.join("\n"),
            });
        }
        serde_json::from_slice(&response.to_json())
            .map_err(|error| error.to_string())
            .map_err(Failure::at(Stage::Answer))
    }

    fn executor(&self, transport: Arc<dyn Transport>) -> Executor {
        let urls = self.subgraphs.keys().map(|name| {
            let url = format!("http://{name}/graphql")
                .parse()
                .expect("a letter is a host name");
            (Arc::from(name.as_str()), url)
        });
        Executor::new(urls, transport, ExecutorConfig::default())
    }
}

impl Failure {
    /// Failures of one kind have the same stage, and the same code if composition gave one.
    pub fn kind(&self) -> (Stage, String) {
        let code = match self.stage {
            Stage::Composition => self
                .message
                .split_whitespace()
                .find(|word| word.contains('_'))
                .unwrap_or_default(),
            _ => "",
        };
        (self.stage, code.to_owned())
    }

    fn at(stage: Stage) -> impl Fn(String) -> Failure {
        move |message| Failure { stage, message }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.stage, self.message)
    }
}

/// A panic is a failure like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Failure {
            stage: Stage::Panic,
            message: text.unwrap_or_default(),
        })
    })
}

/// Fields that a subgraph has lost to another by `@override`, given the active labels.
fn overridden(schemas: &Schemas) -> BTreeMap<String, Coordinates> {
    let mut lost: BTreeMap<String, Coordinates> = BTreeMap::new();
    for (name, sdl) in &schemas.subgraphs {
        let document = match apollo_compiler::ast::Document::parse(sdl.as_str(), name) {
            Ok(document) => document,
            Err(incomplete) => incomplete.partial,
        };
        for definition in &document.definitions {
            use apollo_compiler::ast::Definition::{ObjectTypeDefinition, ObjectTypeExtension};
            let (ty, fields) = match definition {
                ObjectTypeDefinition(object) => (&object.name, &object.fields),
                ObjectTypeExtension(object) => (&object.name, &object.fields),
                _ => continue,
            };
            for field in fields {
                for directive in field.directives.get_all("override") {
                    let text = |name| {
                        directive
                            .specified_argument_by_name(name)
                            .and_then(|value| value.as_str())
                    };
                    let active =
                        text("label").is_none_or(|label| schemas.active_labels.iter().any(|it| it == label));
                    let loser = if active {
                        text("from").unwrap_or_default()
                    } else {
                        name
                    };
                    let coordinate = (ty.to_string(), field.name.to_string());
                    lost.entry(loser.to_owned()).or_default().insert(coordinate);
                }
            }
        }
    }
    lost
}
