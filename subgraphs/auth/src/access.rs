//! Roles and scopes: what there is, what a role brings along, and what a scope looks like.

use async_graphql::Enum;

use crate::store::Account;

/// Grants roles and scopes, and reads the audit log.
pub const ACCOUNT_ADMIN: &str = "account:admin";

const MAX_SCOPE_BYTES: usize = 64;

/// What an account may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Enum)]
pub enum Role {
    /// Buys.
    Customer,
    /// Sells: writes products and stock.
    Merchant,
    /// Runs the platform.
    Admin,
}

impl Role {
    /// The role's name in tokens and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Merchant => "merchant",
            Self::Admin => "admin",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Customer, Self::Merchant, Self::Admin]
            .into_iter()
            .find(|role| role.name() == name)
    }

    /// Scopes that whoever has the role also has.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Customer => &[],
            Self::Merchant => &["product:write", "inventory:write", "order:write"],
            Self::Admin => &[ACCOUNT_ADMIN, "order:read:any"],
        }
    }
}

/// The scopes of an account's roles and those granted to it, each once.
pub fn effective_scopes(account: &Account) -> Vec<String> {
    let of_roles = account.roles.iter().filter_map(|role| Role::from_name(role));
    let implied = of_roles.flat_map(Role::scopes).map(ToString::to_string);
    let mut scopes: Vec<String> = Vec::new();
    for scope in implied.chain(account.scopes.iter().cloned()) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}

/// Is this two or more lower-case words joined by colons, such as `order:read:any`? RFC 6749, section 3.3, allows more; this keeps them readable.
pub fn is_scope(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= MAX_SCOPE_BYTES && text.contains(':') && text.split(':').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_words_joined_by_colons() {
        for scope in ["product:write", "order:read:any"] {
            assert!(is_scope(scope), "{scope}");
        }
        for other in [
            "",
            "write",
            "a b:c",
            "product:",
            ":write",
            "Product:write",
            "a:b\n",
            "a::b",
        ] {
            assert!(!is_scope(other), "{other:?}");
        }
        assert!(!is_scope(&format!("a:{}", "b".repeat(63))));
    }
}
