//! JSON bodies that are compared byte for byte.

/// A JSON document in one line, with its members in the order in which they are written.
///
/// White space between the tokens goes. `<name>` becomes the value of that name, as it is.
#[must_use]
pub fn compact(document: &str, values: &[(&str, &str)]) -> String {
    let (mut line, mut in_text, mut escaped) = (String::new(), false, false);
    for c in document.chars() {
        if in_text || !c.is_whitespace() {
            line.push(c);
        }
        if c == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = c == '\\' && !escaped;
    }
    for (name, value) in values {
        let place = format!("<{name}>");
        assert!(line.contains(&place), "{place} is not in the document");
        line = line.replace(&place, value);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_tokens_goes_and_texts_stay() {
        let document = r#"{
            "b": [1, <number>],
            "a": "say \" <word>"
        }"#;
        let line = compact(document, &[("number", "2"), ("word", "hello  you")]);
        assert_eq!(line, r#"{"b":[1,2],"a":"say \" hello  you"}"#);
    }
}
