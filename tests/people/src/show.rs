//! An answer as a text for people: one line for each value, indented.

use serde_json::Value;

/// Writes an answer as a text. What is null or empty is left out.
pub(crate) fn text(answer: &Value) -> String {
    lines(answer).join("\n")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let shown = fields.iter().filter(|(_, value)| !is_empty(value));
            shown.flat_map(|(name, value)| field(name, value)).collect()
        }
        Value::Array(values) => values.iter().flat_map(item).collect(),
        value => vec![plain(value)],
    }
}

fn field(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) if values.is_empty() => vec![format!("{name}: none")],
        Value::Object(_) | Value::Array(_) => {
            let inner = lines(value).into_iter().map(|line| format!("  {line}"));
            std::iter::once(format!("{name}:")).chain(inner).collect()
        }
        value => vec![format!("{name}: {}", plain(value))],
    }
}

/// The lines of one item of a list, of which the first begins with a dash.
fn item(value: &Value) -> Vec<String> {
    let marked = lines(value).into_iter().enumerate();
    marked
        .map(|(number, line)| format!("{}{line}", if number == 0 { "- " } else { "  " }))
        .collect()
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
            "  - userId: 1",
            "    identifiers:",
            "      - kind: phone",
            "        value: +852",
            "    sessions: none",
        ];
        assert_eq!(text(&answer), lines.join("\n"));
        assert_eq!(text(&json!({"unlocked": 3})), "unlocked: 3");
    }
}
