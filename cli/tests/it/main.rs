//! The schema commands as their users run them: the program itself, in folders of their own. Those that follow a registry need
//! `DATABASE_URL` and `REDIS_URL`.

#![allow(clippy::unwrap_used, reason = "for tests: what is wrong fails them")]

mod check;
mod formats;
mod program;
mod publish;
mod router_follows;
mod workflow;
