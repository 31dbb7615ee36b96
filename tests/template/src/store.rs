//! The tables, secrets and event buses.

use crate::resolve::Resolver;
use crate::{Resource, arn, only};
use anyhow::{Context, bail};
use serde_json::{Map, Value as Json, json};

/// An `AWS::DynamoDB::Table`.
#[derive(Debug, Clone)]
pub struct Table {
    /// The logical id.
    pub id: String,
    /// The physical name.
    pub name: String,
    /// The `CreateTable` request.
    pub create: Json,
    /// The attribute that holds the time of expiry.
    pub ttl_attribute: Option<String>,
    pub has_stream: bool,
}

impl Table {
    pub(crate) fn read(resolver: &Resolver<'_>, resource: &Resource) -> anyhow::Result<Self> {
        const REQUIRED: [&str; 3] = ["AttributeDefinitions", "BillingMode", "KeySchema"];
        let id = &resource.id;
        let path = format!("Resources.{id}.Properties");
        only(
            resource.properties(),
            &path,
            &[
                "AttributeDefinitions",
                "BillingMode",
                "DeletionProtectionEnabled",
                "GlobalSecondaryIndexes",
                "KeySchema",
                "PointInTimeRecoverySpecification",
                "SSESpecification",
                "StreamSpecification",
                "TableName",
                "TimeToLiveSpecification",
                "WarmThroughput",
            ],
        )?;
        let property =
            |name: &str| resolver.resolve_at(&format!("/Resources/{id}/Properties/{name}"));
        let name = resolver.physical_name(id)?;
        let mut create = Map::from_iter([("TableName".to_owned(), name.as_str().into())]);
        for name in REQUIRED {
            let value = property(name)?.with_context(|| format!("no {name} at {path}"))?;
            create.insert(name.to_owned(), value);
        }
        if let Some(indexes) = property("GlobalSecondaryIndexes")? {
            create.insert("GlobalSecondaryIndexes".to_owned(), indexes);
        }
        let view = property("StreamSpecification/StreamViewType")?;
        let has_stream = view.is_some();
        if let Some(view) = view {
            let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
            create.insert("StreamSpecification".to_owned(), stream);
        }
        let ttl = match property("TimeToLiveSpecification")? {
            None => None,
            Some(ttl) => match (ttl.get("AttributeName"), ttl.get("Enabled")) {
                (Some(Json::String(attribute)), Some(Json::Bool(true))) => Some(attribute.clone()),
                _ => bail!("unsupported value at {path}.TimeToLiveSpecification"),
            },
        };
        Ok(Self {
            id: id.clone(),
            name,
            create: Json::Object(create),
            ttl_attribute: ttl,
            has_stream,
        })
    }
}

/// An `AWS::SecretsManager::Secret`, whose first value is generated: a JSON object with one
/// generated text in it, of letters and digits.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The logical id.
    pub id: String,
    /// The physical name.
    pub name: String,
    pub arn: String,
    /// The object that the generated text is put into.
    pub object: Map<String, Json>,
    /// The key of the generated text in the object.
    pub key: String,
    /// The length of the generated text in characters.
    pub length: usize,
}

impl Secret {
    pub(crate) fn read(resolver: &Resolver<'_>, resource: &Resource) -> anyhow::Result<Self> {
        let id = &resource.id;
        let path = format!("Resources.{id}.Properties");
        only(resource.properties(), &path, &["Description", "GenerateSecretString", "Name"])?;
        let path = format!("{path}.GenerateSecretString");
        let rules = resource.properties().get("GenerateSecretString").unwrap_or(&Json::Null);
        let known =
            ["ExcludePunctuation", "GenerateStringKey", "PasswordLength", "SecretStringTemplate"];
        only(rules, &path, &known)?;
        if rules.get("ExcludePunctuation") != Some(&Json::Bool(true)) {
            bail!("unsupported secret at {path}: ExcludePunctuation is not true");
        }
        let text = |name: &str| {
            let text = rules.get(name).and_then(Json::as_str);
            text.with_context(|| format!("no {name} at {path}"))
        };
        let length = rules.get("PasswordLength").and_then(Json::as_u64);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let name = resolver.physical_name(id)?;
        Ok(Self {
            id: id.clone(),
            arn: arn::secret(&name),
            name,
            object: serde_json::from_str(text("SecretStringTemplate")?)
                .with_context(|| format!("SecretStringTemplate is not a JSON object at {path}"))?,
            key: text("GenerateStringKey")?.to_owned(),
            length: length.with_context(|| format!("no PasswordLength at {path}"))?,
        })
    }
}

/// An `AWS::Events::EventBus`.
#[derive(Debug, Clone)]
pub struct EventBus {
    /// The logical id.
    pub id: String,
    /// The physical name.
    pub name: String,
}

impl EventBus {
    pub(crate) fn read(resolver: &Resolver<'_>, resource: &Resource) -> anyhow::Result<Self> {
        Ok(Self { id: resource.id.clone(), name: resolver.physical_name(&resource.id)? })
    }
}
