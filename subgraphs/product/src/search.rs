//! A shopper's search text as a Postgres text query: every word must match, and matches from its beginning, so that results appear while
//! the last word is being typed.

/// More words than this add nothing but work.
const MAX_WORDS: usize = 8;
/// Longer words are no words.
const MAX_WORD_CHARS: usize = 40;

/// What the listing looks for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Search {
    /// The text is blank: everything matches.
    Everything,
    /// The text has no letter or digit: nothing matches.
    Nothing,
    /// For `to_tsquery`: `red:* & coat:*`.
    Words(String),
}

impl Search {
    /// Reads what a person typed; any text is acceptable.
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Everything;
        }
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MAX_WORDS)
            .map(|word| word.chars().take(MAX_WORD_CHARS).chain(":*".chars()).collect())
            .collect();
        if words.is_empty() {
            Self::Nothing
        } else {
            Self::Words(words.join(" & "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_prefix_query() {
        let check = |text: &str, expected: Search| assert_eq!(Search::parse(text), expected, "{text:?}");
        let words = |query: &str| Search::Words(query.to_owned());
        check("coat", words("coat:*"));
        check("  wool   Coat ", words("wool:* & Coat:*"));
        check("rain-coat's", words("rain:* & coat:* & s:*"));
        check("a | !b & (c) <-> 'd' \\ : *\0", words("a:* & b:* & c:* & d:*"));
        check("Mäntel 外套", words("Mäntel:* & 外套:*"));
        check("", Search::Everything);
        check(" \t", Search::Everything);
        check("!?", Search::Nothing);
        check(
            "1 2 3 4 5 6 7 8 9",
            words("1:* & 2:* & 3:* & 4:* & 5:* & 6:* & 7:* & 8:*"),
        );
        check(&"x".repeat(10_000), words(&format!("{}:*", "x".repeat(40))));
    }
}
