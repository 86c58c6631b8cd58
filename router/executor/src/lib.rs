//! Query plan in, response out: the only place that calls subgraphs.
//!
//! - [`prepared`]: what is computed once for an operation: request bodies (`fetch`), the [`projection`] (`collect`)
//! - [`execute`]: the driver: [`variables`], `run`, [`complete`]
//! - `run`: fetches in the order of the `schedule`: `fetch` with its [`representations`] out, [`subgraph_answer`] in,
//!   `rewrite`, [`merge`] at every `place`, `client_errors`
//! - [`complete`]: the data through the projection, nulls propagated; `error_paths` keeps it from reporting twice
//! - `regrouping`: a request with more selections than planned, for entities whose contexts differ
//! - `introspection`: `__schema` and `__type`
//! - [`response`] and [`value`]: what goes out, and the JSON inside
//! - [`transport`]: the seam to the network; [`http`] and [`in_process`] its two sides

mod body;
mod client_errors;
mod collect;
pub mod complete;
mod error_paths;
pub mod execute;
mod fetch;
pub mod http;
pub mod in_process;
mod introspection;
pub mod merge;
mod place;
pub mod prepared;
pub mod projection;
mod regrouping;
pub mod representations;
pub mod response;
mod rewrite;
mod run;
mod schedule;
pub mod subgraph_answer;
pub mod transport;
pub mod value;
pub mod variables;

pub use execute::{ExecutionRequest, Executor, ExecutorConfig, RequestHeaders, SubgraphErrors};
pub use prepared::{PrepareError, PreparedOperation, Restriction};
pub use response::{GraphqlError, Location, PathElement, Response};
