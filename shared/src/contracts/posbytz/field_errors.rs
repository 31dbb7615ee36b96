//! The errors of all fields of a request, in the order of the documented fields.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::borrow::Cow;

/// The errors of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FieldError {
    /// The texts about the field itself.
    Texts(Vec<&'static str>),
    /// The errors of the fields inside it.
    Nested(FieldErrors),
}

/// The errors of the fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, FieldError)>);

impl FieldErrors {
    /// Adds the errors of a field. An empty list adds nothing.
    pub fn add(&mut self, field: &'static str, texts: Vec<&'static str>) {
        if !texts.is_empty() {
            self.0.push((field, FieldError::Texts(texts)));
        }
    }

    /// Adds the errors of the fields inside a field. An empty list adds nothing.
    pub fn add_nested(&mut self, field: &'static str, errors: Self) {
        if !errors.is_empty() {
            self.0.push((field, FieldError::Nested(errors)));
        }
    }

    /// Returns whether no field has an error.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, error) in &self.0 {
            match error {
                FieldError::Texts(texts) => map.serialize_entry(field, texts)?,
                FieldError::Nested(errors) => map.serialize_entry(field, errors)?,
            }
        }
        map.end()
    }
}

impl JsonSchema for FieldErrors {
    fn schema_name() -> Cow<'static, str> {
        "FieldErrors".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let nested = schemas.subschema_for::<Self>();
        json_schema!({
            "description": "The errors of the fields, by their names.",
            "type": "object",
            "additionalProperties": {
                "anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, nested]
            }
        })
    }
}
