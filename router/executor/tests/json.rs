//! JSON in, the same JSON out: nothing is rounded, reordered or re-escaped.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not test functions to clippy"
)]

use fondaco_executor::value::{Value, unescape_names};

fn check(text: &str, expected: &str) {
    assert_eq!(Value::parse(text).unwrap().to_string(), expected);
}

#[test]
fn values_keep_their_text() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.50e+10",
        "123456789012345678901234567890",
        "0.10000000000000000000001",
        r#""""#,
        r#""a\u00e9\"\\\n\ud83d\ude00é😀""#,
        "[]",
        "[1,[2,{}],\"x\"]",
        r#"{"b":1,"a":{"":null},"b":2}"#,
    ] {
        check(text, text);
    }
    check(" { \"a\" : [ 1 , 2 ] }\n", r#"{"a":[1,2]}"#);
}

#[test]
fn the_first_of_equal_keys_is_found() {
    let value = Value::parse(r#"{"a":1,"a":2}"#).unwrap();
    assert_eq!(value.as_object().unwrap().get("a"), Some(&Value::Number("1")));
}

#[test]
fn what_is_not_json_is_refused() {
    let deep = "[".repeat(100_000);
    for text in [
        "",
        " ",
        "nul",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "NaN",
        "Infinity",
        "-",
        "'a'",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "[1,]",
        "[1 2]",
        "[",
        "{",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":1,}",
        "1 2",
        "{} x",
        &deep,
    ] {
        assert!(Value::parse(text).is_err(), "{text:.20}");
    }
}

#[test]
fn escaped_names_are_spelled_out() {
    for (text, expected) in [
        (r#"{"\u0069d":1}"#, Some(r#"{"id":1}"#)),
        (r#""\\u0069 \u0069""#, Some(r#""\\u0069 i""#)),
        (r#""\u00e9\u0022\u000a""#, Some(r#""\u00e9\u0022\u000a""#)),
        (r#""\é\u00""#, Some(r#""\é\u00""#)),
        (r#"{"id":1}"#, None),
    ] {
        assert_eq!(unescape_names(text).as_deref(), expected, "{text}");
    }
}
