//! What logs must not hold, however much is logged: signs of a panic, secrets, and personal data.

use crate::platform::Platform;

/// The lines of all programs' logs that a test must not find: each with what is wrong with it.
pub fn offences(platform: &Platform, personal: &[&str]) -> Vec<String> {
    let mut forbidden = vec![
        ("a panic", "panicked at"),
        ("a token", "eyJ"),
        ("a password", "correct horse"),
        ("a password", "fondaco-demo"),
        ("a card", "tok_success"),
        ("a password's hash", "$argon2"),
        // Those of the demonstration are public; those of the tests' shoppers begin like this.
        ("an e-mail address", "shopper-"),
        ("the shared secret", platform.identity_secret()),
    ];
    let urls = platform.server_urls().unwrap_or_default();
    let passwords = urls.iter().filter_map(|(_, url)| password(url));
    forbidden.extend(passwords.map(|password| ("a server's password", password)));
    forbidden.extend(personal.iter().map(|text| ("personal data", *text)));
    let logs = platform.logs();
    let offence = |line: &str| {
        let (what, _) = forbidden.iter().find(|(_, text)| line.contains(text))?;
        Some(format!("{what}: {line}"))
    };
    logs.lines().filter_map(offence).collect()
}

/// The password in `scheme://USER:PASSWORD@HOST`.
fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, _) = rest.rsplit_once('@')?;
    Some(credentials.split_once(':')?.1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn passwords_of_urls() {
        assert_eq!(
            super::password("postgres://me:secret@localhost:1/db"),
            Some("secret")
        );
        assert_eq!(super::password("redis://:secret@localhost"), Some("secret"));
        assert_eq!(super::password("redis://localhost"), None);
    }
}
