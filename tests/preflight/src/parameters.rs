//! The parameters of a deployment: those of a stage, and the template's defaults.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use template::Template;

pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a file as `sam deploy --parameter-overrides file://…` does, and the template.
    ///
    /// # Errors
    /// A file cannot be read, or the stage names a parameter that the template does not have.
    pub(crate) fn read(stage: Option<&Path>) -> Result<Self> {
        let template = Template::load()?;
        let defaults = template.parameters.iter();
        let mut values: BTreeMap<_, _> =
            defaults.map(|it| (it.name.clone(), it.default.clone())).collect();
        if let Some(path) = stage {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("failed to read {}", path.display()))?;
            let stage: BTreeMap<String, Value> = yaml_serde::from_str(&text)
                .with_context(|| format!("{} is not a map of parameters", path.display()))?;
            for (name, value) in stage {
                ensure!(values.contains_key(&name), "{}: no parameter {name}", path.display());
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                values.insert(name, text);
            }
        }
        Ok(Self(values))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }
}
