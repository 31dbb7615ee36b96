//! An answer as a text for people: one line for each value, indented.

use serde_json::Value;
use std::fmt::Write as _;

/// Writes an answer as a text. What is null or empty is left out.
pub(crate) fn text(answer: &Value) -> String {
    let mut text = String::new();
    write(answer, 0, &mut text);
    text.trim_end().to_owned()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let margin = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(_, value)| !is_empty(value)) {
                match value {
                    Value::Object(_) => {
                        let _ = writeln!(text, "{margin}{name}:");
                        write(value, depth.saturating_add(1), text);
                    }
                    Value::Array(values) if values.is_empty() => {
                        let _ = writeln!(text, "{margin}{name}: none");
                    }
                    Value::Array(_) => {
                        let _ = writeln!(text, "{margin}{name}:");
                        write(value, depth.saturating_add(1), text);
                    }
                    value => {
                        let _ = writeln!(text, "{margin}{name}: {}", plain(value));
                    }
                }
            }
        }
        Value::Array(values) => {
            for value in values {
                let mut item = String::new();
                write(value, depth.saturating_add(1), &mut item);
                // The first line of an item begins with a dash.
                let item = item.trim_start();
                let _ = writeln!(text, "{margin}- {}", item.trim_end());
            }
        }
        value => {
            let _ = writeln!(text, "{margin}{}", plain(value));
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_written_line_by_line() {
        let answer = json!({"people": [
            {"userId": "1", "store": null, "identifiers": [{"kind": "phone", "value": "+852"}],
                "sessions": [], "attributes": {}},
        ]});
        let lines = [
            "people:",
            "  - identifiers:",
            "      - kind: phone",
            "        value: +852",
            "    sessions: none",
            "    userId: 1",
        ];
        assert_eq!(text(&answer), lines.join("\n"));
        assert_eq!(text(&json!({"unlocked": 3})), "unlocked: 3");
    }
}
