//! JSON values that borrow from the text they were parsed from.
//!
//! Numbers and strings keep their source text, so integers beyond 64 bits, exact decimals and escape sequences pass
//! through unharmed, and writing a value is copying. A string is held as it stands between its quotation marks.

use std::fmt;

use jiter::{Jiter, Peek};

/// Deepest nesting accepted, so that no answer can exhaust the stack.
const MAX_DEPTH: usize = 256;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(&'a str),
    /// A string as written, without its quotation marks: escape sequences are kept.
    String(&'a str),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// A JSON object in source order. Where a key repeats, the first one is found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'a> {
    entries: Vec<(&'a str, Value<'a>)>,
}

/// The text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON at byte {index}: {reason}")]
pub struct ParseError {
    /// Offset of the offending byte.
    pub index: usize,
    /// What is wrong there.
    pub reason: String,
}

impl<'a> Value<'a> {
    /// Parses one JSON text.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut parser = Parser {
            text,
            jiter: Jiter::new(text.as_bytes()),
        };
        let value = parser.value(MAX_DEPTH)?;
        parser.jiter.finish().map_err(|error| parser.error(&error))?;
        Ok(value)
    }

    /// Appends the value as JSON text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
            Value::Number(text) => out.extend_from_slice(text.as_bytes()),
            Value::String(text) => write_quoted(text, out),
            Value::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Value::Object(object) => object.write(out),
        }
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The source text between the quotation marks, if it is a string.
    pub fn as_raw_str(&self) -> Option<&'a str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl<'a> Object<'a> {
    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.entries
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// Like [`Object::get`], fast where lookups follow the order of the entries: `next` is where to look first.
    pub fn get_next(&self, key: &str, next: &mut usize) -> Option<&Value<'a>> {
        let position = match self.entries.get(*next) {
            Some((name, _)) if *name == key => *next,
            _ => self.position(key)?,
        };
        *next = position + 1;
        Some(&self.entries[position].1)
    }

    /// The first value under `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        self.entries
            .iter_mut()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// Position of the first entry under `key`. Entries are never removed, so positions stay valid.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|(name, _)| *name == key)
    }

    /// The entry at a position.
    pub fn entry_at(&self, position: usize) -> Option<&(&'a str, Value<'a>)> {
        self.entries.get(position)
    }

    /// The value at a position, to change it.
    pub fn value_at_mut(&mut self, position: usize) -> Option<&mut Value<'a>> {
        self.entries.get_mut(position).map(|(_, value)| value)
    }

    /// Appends an entry without looking for an earlier one of the same key.
    pub fn push(&mut self, key: &'a str, value: Value<'a>) {
        self.entries.push((key, value));
    }

    /// Gives every entry called `from` the name `to`.
    pub fn rename(&mut self, from: &str, to: &'a str) {
        for (key, _) in self.entries.iter_mut().filter(|(key, _)| *key == from) {
            *key = to;
        }
    }

    /// Takes the value under `key` out, leaving `null`.
    pub fn take(&mut self, key: &str) -> Option<Value<'a>> {
        self.get_mut(key)
            .map(|value| std::mem::replace(value, Value::Null))
    }

    /// Entries in order.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = &(&'a str, Value<'a>)> + ExactSizeIterator<Item = &(&'a str, Value<'a>)>
    {
        self.entries.iter()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (index, (key, value)) in self.entries.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_quoted(key, out);
            out.push(b':');
            value.write(out);
        }
        out.push(b'}');
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (&'a str, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// Spells out escaped ASCII letters, digits and underscores (`\u0069d` is `id`), the characters GraphQL names are
/// made of, so that names may be compared as source text. `None` where there is nothing to change.
pub fn unescape_names(text: &str) -> Option<String> {
    text.contains("\\u00").then(|| {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let (shown, length) = match escaped_name_character(&rest[at..]) {
                Some(character) => (character.to_string(), 6),
                None => {
                    let length = 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8);
                    (rest[at..at + length].to_owned(), length)
                }
            };
            out.push_str(&shown);
            rest = &rest[at + length..];
        }
        out.push_str(rest);
        out
    })
}

fn escaped_name_character(escape: &str) -> Option<char> {
    let hexadecimal = escape.strip_prefix("\\u00")?.get(..2)?;
    let character = char::from(u8::from_str_radix(hexadecimal, 16).ok()?);
    (character.is_ascii_alphanumeric() || character == '_').then_some(character)
}

fn write_quoted(raw: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(raw.as_bytes());
    out.push(b'"');
}

struct Parser<'a> {
    text: &'a str,
    jiter: Jiter<'a>,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let peek = self.jiter.peek().map_err(|error| self.error(&error))?;
        self.known_value(peek, depth)
    }

    fn known_value(&mut self, peek: Peek, depth: usize) -> Result<Value<'a>, ParseError> {
        match peek {
            Peek::Null => match self.jiter.known_null() {
                Ok(()) => Ok(Value::Null),
                Err(error) => Err(self.error(&error)),
            },
            Peek::True | Peek::False => self
                .jiter
                .known_bool(peek)
                .map(Value::Bool)
                .map_err(|error| self.error(&error)),
            Peek::String => self.string(),
            Peek::Array => self.array(depth),
            Peek::Object => self.object(depth),
            _ => self.number(peek),
        }
    }

    fn string(&mut self) -> Result<Value<'a>, ParseError> {
        let span = self.jiter.known_bytes().map(Span::of);
        self.slice(span).map(Value::String)
    }

    fn number(&mut self, peek: Peek) -> Result<Value<'a>, ParseError> {
        let span = self.jiter.known_number_bytes(peek).map(Span::of);
        self.slice(span).map(Value::Number)
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let depth = self.descend(depth)?;
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|error| self.error(&error))?;
        while let Some(peek) = next {
            items.push(self.known_value(peek, depth)?);
            next = self.jiter.array_step().map_err(|error| self.error(&error))?;
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let depth = self.descend(depth)?;
        let mut entries = Vec::with_capacity(8);
        let mut next = self.jiter.next_object_bytes().map(|key| key.map(Span::of));
        loop {
            let Some(key) = next.transpose() else {
                return Ok(Value::Object(Object { entries }));
            };
            let key = self.slice(key)?;
            entries.push((key, self.value(depth)?));
            next = self.jiter.next_key_bytes().map(|key| key.map(Span::of));
        }
    }

    fn descend(&self, depth: usize) -> Result<usize, ParseError> {
        depth.checked_sub(1).ok_or_else(|| ParseError {
            index: self.jiter.current_index(),
            reason: format!("nested deeper than {MAX_DEPTH} levels"),
        })
    }

    /// The same bytes as a part of the source text, which outlives the parser.
    fn slice(&self, span: Result<Span, jiter::JiterError>) -> Result<&'a str, ParseError> {
        let span = span.map_err(|error| self.error(&error))?;
        let start = span.address - self.text.as_ptr().addr();
        Ok(&self.text[start..start + span.length])
    }

    fn error(&self, error: &jiter::JiterError) -> ParseError {
        ParseError {
            index: error.index,
            reason: error.error_type.to_string(),
        }
    }
}

/// Where a token lies. jiter ties what it returns to the borrow of itself; the token's address frees it of that.
struct Span {
    address: usize,
    length: usize,
}

impl Span {
    fn of(token: &[u8]) -> Self {
        Self {
            address: token.as_ptr().addr(),
            length: token.len(),
        }
    }
}
