//! E-mail addresses: normalised, so that one mailbox has one account, and checked for what cannot be an address.

/// A normalised address: trimmed and in lower case.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Email(String);

/// The text cannot be an e-mail address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not an e-mail address")]
pub struct InvalidEmail;

impl Email {
    /// Normalises `text`, or refuses it. Only an e-mail that arrives proves an address; this stops slips of the keyboard.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let normalised = text.trim().to_ascii_lowercase();
        let (local, domain) = normalised.rsplit_once('@').ok_or(InvalidEmail)?;
        let valid = normalised.len() <= 254 && is_local_part(local) && is_domain(domain);
        if valid {
            Ok(Self(normalised))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A dot-atom of RFC 5322, without quoted strings and comments.
fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
        !atom.is_empty() && atom.bytes().all(allowed)
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_and_checked() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                Email::parse(text).ok().as_ref().map(Email::as_str),
                expected,
                "{text:?}"
            );
        };
        check("ada@example.com", Some("ada@example.com"));
        check(
            "  Ada.Lovelace+shop@Example.COM ",
            Some("ada.lovelace+shop@example.com"),
        );
        check("a@b.co", Some("a@b.co"));
        for wrong in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a b@example.com",
        ] {
            check(wrong, None);
        }
        for wrong in [
            "a@b@example.com",
            "ada@-x.com",
            "ada@x..com",
            ".a@example.com",
            "a\n@example.com",
        ] {
            check(wrong, None);
        }
        check(&format!("{}@example.com", "a".repeat(65)), None);
        check(&format!("a@{}.com", "x".repeat(252)), None);
    }
}
