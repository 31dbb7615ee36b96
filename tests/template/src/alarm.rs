//! The alarms.

use crate::Resource;
use crate::resolve::references;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// An `AWS::CloudWatch::Alarm`.
#[derive(Debug, Clone)]
pub struct Alarm {
    /// The logical id.
    pub id: String,
    pub description: String,
    /// The logical ids of the functions that its metrics refer to.
    pub functions: BTreeSet<String>,
    /// The properties, with intrinsic functions that are not resolved.
    pub properties: Json,
}

impl Alarm {
    pub(crate) fn read(resource: &Resource, functions: &BTreeSet<&str>) -> Self {
        let properties = resource.properties().clone();
        let description = properties.get("AlarmDescription").and_then(Json::as_str);
        let mut named = references(&properties);
        named.retain(|id| functions.contains(id.as_str()));
        Self {
            id: resource.id.clone(),
            description: description.unwrap_or_default().to_owned(),
            functions: named,
            properties,
        }
    }
}
