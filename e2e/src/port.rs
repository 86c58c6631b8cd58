//! Free TCP ports on loopback.

use std::net::TcpListener;

/// A port nobody listens on at the moment. The kernel hands out ephemeral ports in turn, so that two callers
/// do not get the same one.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// [`free_port`] as `127.0.0.1:PORT`.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
