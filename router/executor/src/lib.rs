//! Query plan in, response out: the only place that calls subgraphs.

pub mod execute;
pub mod prepared;
pub mod response;
pub mod transport;
pub mod value;

pub use execute::{ExecutionRequest, Executor, ExecutorConfig, RequestHeaders, SubgraphErrors};
pub use prepared::{PrepareError, PreparedOperation};
pub use response::{GraphqlError, Location, PathElement, Response};
