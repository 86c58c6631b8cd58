//! What `fondaco up` prints when it is ready.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;

use crate::servers::Servers;

/// Addresses, and a first query to paste.
pub fn text(address: SocketAddr, servers: Option<&Servers>, outbox: Option<&Path>) -> String {
    // The URLs hold passwords: they are for the person at a terminal, not for a log.
    let servers = servers.filter(|_| std::io::stdout().is_terminal());
    let private = servers.map_or_else(String::new, |servers| {
        format!(
            "\n  Postgres    {}\n  Redis       {}",
            servers.database_url(),
            servers.redis_url()
        )
    });
    let mail = outbox.map_or_else(String::new, |folder| {
        format!("\n  e-mail      as files in {}", folder.display())
    });
    format!(
        r#"
Fondaco is ready; Ctrl-C stops it.

  GraphQL     http://{address}/graphql
  playground  http://{address}/graphql in a browser
  health      http://{address}/health and /ready{private}{mail}

Try it:

  curl http://{address}/graphql -H 'content-type: application/json' -d '{{
    "query": "{{ products(first: 3, search: \"coat\") {{ edges {{ node {{ name variants {{ sku price {{ amount currency }} availability {{ available }} }} }} }} }} }}"
  }}'
"#
    )
}
