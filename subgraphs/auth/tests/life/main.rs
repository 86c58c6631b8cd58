//! The life of an account on real Postgres and Redis: proving an address, devices, passwords, rights, keys, mail, outside providers; then
//! everything somebody with bad intentions might try, as one table.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod abuse;
mod devices;
mod keys;
mod load;
mod outside;
mod passwords;
mod provider;
mod proving;
mod races;
mod redis_restart;
mod rights;
mod smtp;
mod support;
