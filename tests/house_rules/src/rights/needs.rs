//! The record of a test run: the rights that the calls of each function needed.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A right that a call of a function needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The name of the function.
    pub function: String,
    /// The action: `dynamodb:PutItem`.
    pub action: String,
    /// The logical id of the resource, or the ARN of one that the template does not declare.
    pub resource: String,
    /// The values of condition keys, by key.
    pub context: BTreeMap<String, Vec<String>>,
}

/// Reads the files `*.jsonl` of a folder: a JSON object a line.
///
/// # Errors
///
/// The folder has no such file, or a line has another form; the error names it.
pub fn read_needs(folder: &Path) -> Result<BTreeSet<Need>> {
    let mut needs = BTreeSet::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        for (number, line) in (1..).zip(text.lines()) {
            let need = Need::parse(line)
                .with_context(|| format!("{}:{number}: not a recorded right", path.display()))?;
            needs.insert(need);
        }
    }
    anyhow::ensure!(
        !needs.is_empty(),
        "{} holds no record; run the acceptance tests with LATCHKEY_RIGHTS={0}",
        folder.display()
    );
    Ok(needs)
}

impl Need {
    fn parse(line: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        let text = |name: &str| {
            let text = value.get(name).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("{name} is missing"))
        };
        let context = value.get("context").and_then(Value::as_object).into_iter().flatten();
        let context = context.map(|(key, values)| {
            let values = values.as_array().into_iter().flatten();
            let values = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
            (key.clone(), values)
        });
        Ok(Self {
            function: text("function")?,
            action: text("action")?,
            resource: text("resource")?,
            context: context.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_right_with_its_context() {
        let line = r#"{"function":"relay","action":"dynamodb:GetItem","resource":"Users","context":{"dynamodb:LeadingKeys":["a"]}}"#;
        let need = Need::parse(line).unwrap();
        assert_eq!(need.function, "relay");
        assert_eq!(need.context["dynamodb:LeadingKeys"], ["a"]);
        assert!(Need::parse(r#"{"function":"relay"}"#).is_err());
    }
}
