//! Tables, secrets and event buses of the template.

use anyhow::{anyhow, bail};
use serde_json::{Value as Json, json};

use super::identity;
use super::resolver::{Resolver, Resource};

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone)]
pub(crate) struct TableSpec {
    /// The logical id, by which the inspection API speaks of the table.
    pub(crate) id: String,
    /// The physical name, by which DynamoDB knows it.
    pub(crate) name: String,
    /// The `CreateTable` request.
    pub(crate) create: Json,
    /// The attribute that holds the time of expiry.
    pub(crate) ttl_attribute: Option<String>,
    /// Whether the table has a stream.
    pub(crate) streams: bool,
}

impl TableSpec {
    pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource<'_>) -> anyhow::Result<Self> {
        const COPIED: [&str; 6] = [
            "KeySchema",
            "AttributeDefinitions",
            "BillingMode",
            "ProvisionedThroughput",
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
        ];
        let name = identity::physical_name(resolver, resource)?;
        let mut create = json!({ "TableName": name });
        for property in COPIED {
            if let (Some(value), Some(request)) =
                (resource.property(resolver, property)?, create.as_object_mut())
            {
                request.insert(property.to_owned(), value);
            }
        }
        let stream = resource.property(resolver, "StreamSpecification")?;
        if let (Some(stream), Some(request)) = (&stream, create.as_object_mut()) {
            let view = stream.get("StreamViewType").ok_or_else(|| {
                anyhow!("{}.StreamSpecification has no StreamViewType", resource.id)
            })?;
            request.insert(
                "StreamSpecification".to_owned(),
                json!({ "StreamEnabled": true, "StreamViewType": view }),
            );
        }
        let ttl = resource.property(resolver, "TimeToLiveSpecification")?;
        let ttl_attribute = match ttl {
            Some(ttl) if ttl.get("Enabled").is_some_and(is_true) => {
                let attribute = ttl.get("AttributeName").and_then(Json::as_str);
                Some(attribute.map(str::to_owned).ok_or_else(|| {
                    anyhow!("{}.TimeToLiveSpecification has no AttributeName", resource.id)
                })?)
            }
            _ => None,
        };
        Ok(Self {
            id: resource.id.to_owned(),
            name,
            create,
            ttl_attribute,
            streams: stream.is_some(),
        })
    }
}

/// An `AWS::SecretsManager::Secret`.
#[derive(Debug, Clone)]
pub(crate) struct SecretSpec {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) source: SecretSource,
}

/// Where a secret's first value comes from.
#[derive(Debug, Clone)]
pub(crate) enum SecretSource {
    /// Written in the template.
    Fixed(String),
    /// `GenerateSecretString`.
    Generated(GeneratedSecret),
}

/// The parts of `GenerateSecretString`.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedSecret {
    pub(crate) length: usize,
    /// The characters to choose from.
    pub(crate) alphabet: Vec<u8>,
    /// A JSON object and the key of it that takes the generated text.
    pub(crate) inside: Option<(serde_json::Map<String, Json>, String)>,
}

impl SecretSpec {
    pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource<'_>) -> anyhow::Result<Self> {
        let name = identity::physical_name(resolver, resource)?;
        let fixed = resource.property(resolver, "SecretString")?;
        let generated = resource.property(resolver, "GenerateSecretString")?;
        let source = match (fixed, generated) {
            (Some(Json::String(text)), None) => SecretSource::Fixed(text),
            (None, Some(rules)) => {
                SecretSource::Generated(GeneratedSecret::read(resource.id, &rules)?)
            }
            _ => bail!("{}: give either SecretString or GenerateSecretString", resource.id),
        };
        Ok(Self { id: resource.id.to_owned(), arn: identity::secret_arn(&name), name, source })
    }
}

impl GeneratedSecret {
    fn read(id: &str, rules: &Json) -> anyhow::Result<Self> {
        const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
        let length = match rules.get("PasswordLength") {
            None => 32,
            Some(length) => super::values::as_text(length)
                .and_then(|text| text.parse().ok())
                .filter(|length| (1..=4096).contains(length))
                .ok_or_else(|| {
                    anyhow!("{id}.GenerateSecretString.PasswordLength is not in 1 to 4096")
                })?,
        };
        let set = |name: &str| rules.get(name).is_some_and(is_true);
        let mut letters = String::new();
        for (excluded, group) in [
            ("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"),
            ("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            ("ExcludeNumbers", "0123456789"),
            ("ExcludePunctuation", PUNCTUATION),
        ] {
            if !set(excluded) {
                letters.push_str(group);
            }
        }
        if set("IncludeSpace") {
            letters.push(' ');
        }
        let dropped = rules.get("ExcludeCharacters").and_then(Json::as_str).unwrap_or_default();
        let alphabet: Vec<u8> =
            letters.bytes().filter(|b| !dropped.as_bytes().contains(b)).collect();
        if alphabet.is_empty() {
            bail!("{id}.GenerateSecretString leaves no characters");
        }
        let template = rules.get("SecretStringTemplate").and_then(Json::as_str);
        let key = rules.get("GenerateStringKey").and_then(Json::as_str);
        let inside = match (template, key) {
            (None, None) => None,
            (Some(template), Some(key)) => {
                let object = serde_json::from_str(template).map_err(|_| {
                    anyhow!("{id}.GenerateSecretString.SecretStringTemplate is not a JSON object")
                })?;
                Some((object, key.to_owned()))
            }
            _ => bail!("{id}: SecretStringTemplate and GenerateStringKey go together"),
        };
        Ok(Self { length, alphabet, inside })
    }
}

/// An `AWS::Events::EventBus`.
#[derive(Debug, Clone)]
pub(crate) struct BusSpec {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl BusSpec {
    pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource<'_>) -> anyhow::Result<Self> {
        Ok(Self { id: resource.id.to_owned(), name: identity::physical_name(resolver, resource)? })
    }
}

/// `CloudFormation` takes the text `true` for the truth as well.
pub(super) fn is_true(value: &Json) -> bool {
    value.as_bool().unwrap_or(value.as_str() == Some("true"))
}
