//! Which fields are wrong, and how: every one of them, in the order of the document.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// What is said of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Texts {
    /// It is wrong itself.
    Of(Vec<&'static str>),
    /// Fields within it are.
    Within(FieldErrors),
}

/// What is said of the fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, Texts)>);

impl FieldErrors {
    /// Adds what is wrong with a field; nothing, if nothing is.
    pub fn add(&mut self, field: &'static str, texts: Vec<&'static str>) {
        if !texts.is_empty() {
            self.0.push((field, Texts::Of(texts)));
        }
    }

    /// Adds what is wrong within a field; nothing, if nothing is.
    pub fn add_within(&mut self, field: &'static str, errors: Self) {
        if !errors.is_empty() {
            self.0.push((field, Texts::Within(errors)));
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, texts) in &self.0 {
            match texts {
                Texts::Of(texts) => map.serialize_entry(field, texts)?,
                Texts::Within(errors) => map.serialize_entry(field, errors)?,
            }
        }
        map.end()
    }
}
