//! The audit's rules of comparison: `data` deeply equal, key order and the spelling of numbers aside; the presence of
//! errors where the case speaks of them.

use serde_json::Value;

use super::{Expected, Verdict};

/// Compares an answer's body with what was expected.
pub fn compare(expected: &Expected, body: &Value) -> Verdict {
    let data = &body["data"];
    if !equal(&expected.data, data) {
        return Err(format!("expected {}\nreceived {}", expected.data, body));
    }
    let errors = body["errors"].as_array().is_some_and(|errors| !errors.is_empty());
    match expected.errors {
        Some(true) if !errors => Err(format!("expected errors\nreceived {body}")),
        Some(false) if errors => Err(format!("expected no errors\nreceived {body}")),
        _ => Ok(()),
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // 1 and 1.0 are one number to the audit, which is written in JavaScript.
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(data: Value, errors: Option<bool>, body: Value, passes: bool) {
        let verdict = compare(&Expected { data, errors }, &body);
        assert_eq!(verdict.is_ok(), passes, "{body}: {verdict:?}");
    }

    #[test]
    fn rules() {
        check(
            json!({"a": 1, "b": 2}),
            None,
            json!({"data": {"b": 2, "a": 1.0}}),
            true,
        );
        check(json!({"a": 1}), None, json!({"data": {"a": 1, "b": null}}), false);
        check(json!({"a": [1, 2]}), None, json!({"data": {"a": [2, 1]}}), false);
        check(
            Value::Null,
            Some(true),
            json!({"data": null, "errors": [{}]}),
            true,
        );
        check(Value::Null, Some(true), json!({"errors": [{}]}), true);
        check(Value::Null, Some(true), json!({"data": null}), false);
        check(
            json!({"a": 1}),
            Some(false),
            json!({"data": {"a": 1}, "errors": [{}]}),
            false,
        );
        check(
            json!({"a": 1}),
            None,
            json!({"data": {"a": 1}, "errors": [{}]}),
            true,
        );
    }
}
