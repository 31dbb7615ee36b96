//! What the endpoints of a contract accept and answer: the source of its OpenAPI document.
//!
//! The readers of requests read only fields that are declared here ([`Fields::get`]), the schemas of
//! answers are those of the types that are written, and the refusals are made by the contract itself.

use crate::http::{self, BodyError, Refusal, Request, Response};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::fmt::Debug;

/// The API of a contract.
pub struct Api {
    pub title: &'static str,
    /// The OpenAPI document, in JSON. A test compares it with the rest.
    pub document: &'static str,
    /// What the prefix of every path can be, such as `/api`; empty for no prefix.
    pub bases: &'static [&'static str],
    /// How clients authenticate themselves, by name: OpenAPI's security schemes.
    pub schemes: &'static [(&'static str, Make)],
    pub operations: &'static [Operation],
}

/// Makes a part of a document.
pub type Make = fn() -> Value;

/// An endpoint.
pub struct Operation {
    pub function: &'static str,
    /// The path, for a function that serves several endpoints; otherwise empty.
    pub path: &'static str,
    /// The names of the schemes that a request needs, all of them.
    pub security: &'static [&'static str],
    pub parameters: &'static [Parameter],
    pub body: Option<&'static Body>,
    pub answers: &'static [Answer],
    /// What a client can do with the first answer.
    pub links: &'static [Link],
    /// The schema of the body of every refusal.
    pub error: MakeSchema,
    /// What can be refused, in the order of the document.
    pub refusals: fn() -> Vec<Refused>,
}

/// A request that continues with values of an answer.
pub struct Link {
    pub function: &'static str,
    /// The fields of the request's body, each with the place of its value in the answer (RFC 6901).
    pub fields: &'static [(&'static str, &'static str)],
}

/// Makes the schema of a type.
pub type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// A header, or a parameter of the query.
pub struct Parameter {
    /// `header` or `query`.
    pub place: &'static str,
    pub field: Field,
}

/// A field of a body.
pub struct Field {
    pub name: &'static str,
    pub required: bool,
    pub about: &'static str,
    pub schema: Make,
}

/// A body: an object.
pub struct Body {
    pub fields: &'static [Field],
    /// Whether a form is read too.
    pub forms: bool,
    /// Whether the body can be absent, and a malformed one counts as absent.
    pub optional: bool,
    /// What the fields must fulfil together, as keywords of JSON Schema.
    pub rule: Option<Make>,
}

/// An answer to a request that succeeded.
pub struct Answer {
    pub status: u16,
    pub about: &'static str,
    pub content: Content,
    /// The names of headers that only this answer has.
    pub headers: &'static [&'static str],
}

/// The content of an answer.
pub enum Content {
    None,
    Json(MakeSchema),
    Html,
}

/// A refusal and its answer.
pub struct Refused {
    /// The name of the variant.
    pub name: String,
    /// Whether the body tells more than the variant, such as the name of a field.
    pub varies: bool,
    pub response: Response,
}

impl Body {
    /// A JSON object.
    #[must_use]
    pub const fn json(fields: &'static [Field]) -> Self {
        Self { fields, forms: false, optional: false, rule: None }
    }

    /// A JSON object or a form.
    #[must_use]
    pub const fn form_or_json(fields: &'static [Field]) -> Self {
        Self { forms: true, ..Self::json(fields) }
    }

    /// The same with a rule for the fields together.
    #[must_use]
    pub const fn with(self, rule: Make) -> Self {
        Self { rule: Some(rule), ..self }
    }

    /// The same, if the body can be absent, and a malformed one counts as absent.
    #[must_use]
    pub const fn or_absent(self) -> Self {
        Self { optional: true, ..self }
    }

    /// The JSON Schema of the object. Fields that are not declared are allowed, because they are not
    /// read.
    #[must_use]
    pub fn schema(&self) -> Value {
        let required: Vec<_> = self.fields.iter().filter(|field| field.required).collect();
        let required: Vec<_> = required.into_iter().map(|field| Value::from(field.name)).collect();
        let properties: Map<_, _> =
            self.fields.iter().map(|field| (field.name.to_owned(), field.described())).collect();
        let mut schema = Map::from_iter([("properties".to_owned(), properties.into())]);
        // A body that can be absent can be anything: what is no object counts as absent.
        if !self.optional {
            schema.insert("type".to_owned(), "object".into());
        }
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        if let Some(Value::Object(rule)) = self.rule.map(|rule| rule()) {
            schema.extend(rule);
        }
        schema.into()
    }
}

impl Field {
    #[must_use]
    pub const fn required(name: &'static str, about: &'static str, schema: Make) -> Self {
        Self { name, required: true, about, schema }
    }

    #[must_use]
    pub const fn optional(name: &'static str, about: &'static str, schema: Make) -> Self {
        Self { name, required: false, about, schema }
    }

    /// The schema with the description.
    #[must_use]
    pub fn described(&self) -> Value {
        let mut schema = (self.schema)();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), self.about.into());
        }
        schema
    }

    #[must_use]
    pub const fn in_header(self) -> Parameter {
        Parameter { place: "header", field: self }
    }

    #[must_use]
    pub const fn in_query(self) -> Parameter {
        Parameter { place: "query", field: self }
    }
}

impl Answer {
    #[must_use]
    pub const fn json(status: u16, about: &'static str, schema: MakeSchema) -> Self {
        Self { status, about, content: Content::Json(schema), headers: &[] }
    }

    #[must_use]
    pub const fn empty(status: u16, about: &'static str) -> Self {
        Self { status, about, content: Content::None, headers: &[] }
    }

    #[must_use]
    pub const fn page(status: u16, about: &'static str) -> Self {
        Self { status, about, content: Content::Html, headers: &[] }
    }

    /// The same with headers.
    #[must_use]
    pub const fn with(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }
}

/// The header of a request that can be repeated.
pub const IDEMPOTENCY_KEY: Parameter = Field::optional(
    "Idempotency-Key",
    "A string that the client makes for each new request, such as a UUID. A repetition with the same \
     key gets the same answer for 24 hours, and nothing happens again.",
    || json!({"type": "string", "pattern": "^([!#-~]{1,255}|\"[ !#-\\[\\]-~]{1,255}\")$"}),
)
.in_header();

/// The answers to refusals.
pub fn refused<R: Refusal + Debug>(refusals: impl IntoIterator<Item = R>) -> Vec<Refused> {
    let request = Request::default();
    let refusals = refusals.into_iter().map(|refusal| {
        let debug = format!("{refusal:?}");
        let name: String = debug.chars().take_while(char::is_ascii_alphanumeric).collect();
        // The samples of the problems with keys are all there are.
        let varies = debug.contains('(') && name != "Key";
        Refused { name, varies, response: refusal.into_response(&request) }
    });
    refusals.collect()
}

/// The fields of a request's body, or of an object in it.
#[derive(Debug)]
pub struct Fields<'a> {
    values: Values<'a>,
    declared: &'static [Field],
}

#[derive(Debug)]
enum Values<'a> {
    Owned(Map<String, Value>),
    Borrowed(&'a Map<String, Value>),
}

impl Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Fields<'static> {
    /// Reads a body.
    ///
    /// # Errors
    /// The body is too long, or not an object.
    pub fn read(request: &Request, body: &'static Body) -> Result<Self, BodyError> {
        let values = if body.forms {
            http::form_or_json_object(request)
        } else {
            http::json_object(request)
        };
        Ok(Self { values: Values::Owned(values?), declared: body.fields })
    }
}

impl<'a> Fields<'a> {
    /// The fields of an object in a body.
    #[must_use]
    pub const fn of(object: &'a Map<String, Value>, declared: &'static [Field]) -> Self {
        Self { values: Values::Borrowed(object), declared }
    }

    /// Returns the value of a field. A field that is not declared is a defect, which every test of its
    /// endpoint finds.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        debug_assert!(
            self.declared.iter().any(|field| field.name == name),
            "{name} is not declared"
        );
        match &self.values {
            Values::Owned(values) => values.get(name),
            Values::Borrowed(values) => values.get(name),
        }
    }
}

/// The security scheme of a token in `Authorization: Bearer …` (RFC 6750 2.1).
#[must_use]
pub fn bearer(about: &str) -> Value {
    json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about})
}
