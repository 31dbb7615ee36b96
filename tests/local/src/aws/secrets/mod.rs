//! A stand-in for Secrets Manager: secrets with versions and staging labels.

mod secret;

use self::secret::{Refusal, Secret};
use super::Reply;
use super::resources::is_name_of_secret;
use crate::sync::lock;
use crate::{files, random};
use anyhow::Context;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The secrets of the template.
#[derive(Debug)]
pub(crate) struct Secrets {
    entries: Mutex<Vec<Entry>>,
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    arn: String,
    secret: Secret,
}

impl Secrets {
    /// Reads the secrets that an earlier run left in `folder`, and generates the others.
    pub(crate) fn open(
        declared: &[template::Secret],
        folder: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let file = folder.map(|folder| folder.join("secrets.json"));
        let mut kept = match &file {
            Some(file) => read(file)?,
            None => Vec::new(),
        };
        let mut entries = Vec::new();
        for declared in declared {
            let earlier = kept.iter().position(|entry| entry.name == declared.name);
            let secret = match earlier {
                Some(index) => kept.swap_remove(index).secret,
                None => Secret::new(first_value(declared)?),
            };
            let (name, arn) = (declared.name.clone(), declared.arn.clone());
            entries.push(Entry { name, arn, secret });
        }
        let secrets = Self { entries: Mutex::new(entries), file };
        secrets.save(&lock(&secrets.entries))?;
        Ok(secrets)
    }

    pub(crate) fn call(&self, operation: &str, body: &[u8]) -> Reply {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| request.get(name).and_then(Json::as_str);
        let mut entries = lock(&self.entries);
        let named = text("SecretId").and_then(|name| {
            entries.iter_mut().find(|entry| is_name_of_secret(name, &entry.name, &entry.arn))
        });
        let Some(entry) = named else {
            return refusal(&Refusal::not_found(
                "Secrets Manager can't find the specified secret.",
            ));
        };
        let secret = &mut entry.secret;
        let mut answer = json!({ "ARN": entry.arn, "Name": entry.name });
        let result = match operation {
            "GetSecretValue" => secret.value(text("VersionId"), text("VersionStage")),
            "DescribeSecret" => Ok(secret.describe()),
            "ListSecretVersionIds" => {
                Ok(secret.list(request.get("IncludeDeprecated") == Some(&Json::Bool(true))))
            }
            "PutSecretValue" => match text("SecretString") {
                Some(value) => secret.put(value, text("ClientRequestToken"), &stages(&request)),
                None => Err(Refusal::invalid("You must provide SecretString.")),
            },
            "UpdateSecretVersionStage" => match text("VersionStage") {
                Some(stage) => {
                    secret.move_stage(stage, text("RemoveFromVersionId"), text("MoveToVersionId"))
                }
                None => Err(Refusal::invalid("You must provide VersionStage.")),
            },
            other => return Reply::unknown_operation(other),
        };
        match result {
            Ok(Json::Object(fields)) => {
                if let Some(answer) = answer.as_object_mut() {
                    answer.extend(fields);
                }
            }
            Ok(_) => {}
            Err(error) => return refusal(&error),
        }
        if matches!(operation, "PutSecretValue" | "UpdateSecretVersionStage")
            && let Err(error) = self.save(&entries)
        {
            return Reply::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServiceError",
                &format!("{error:#}"),
            );
        }
        Reply::json(StatusCode::OK, &answer)
    }

    /// Writes all secrets to the file, so that a change is not lost in a crash after the reply.
    fn save(&self, entries: &[Entry]) -> anyhow::Result<()> {
        match &self.file {
            Some(file) => files::replace(file, &serde_json::to_vec(entries)?),
            None => Ok(()),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Entry>> {
    match files::read_if_exists(file)? {
        Some(text) => serde_json::from_slice(&text)
            .with_context(|| format!("failed to read {}", file.display())),
        None => Ok(Vec::new()),
    }
}

fn first_value(declared: &template::Secret) -> anyhow::Result<String> {
    let mut object = declared.object.clone();
    object.insert(declared.key.clone(), random::alphanumeric(declared.length)?.into());
    Ok(Json::Object(object).to_string())
}

fn stages(request: &Json) -> Vec<String> {
    let stages = request.get("VersionStages").and_then(Json::as_array).into_iter().flatten();
    stages.filter_map(|stage| stage.as_str().map(str::to_owned)).collect()
}

fn refusal(refusal: &Refusal) -> Reply {
    Reply::bad_request(refusal.kind, &refusal.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Vec<template::Secret> {
        vec![template::Secret {
            id: "OtpKey".into(),
            name: "latchkey-OtpKey".into(),
            arn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-OtpKey-abc123"
                .into(),
            object: serde_json::Map::new(),
            key: "key".to_owned(),
            length: 64,
        }]
    }

    fn call(secrets: &Secrets, operation: &str, request: &Json) -> Json {
        serde_json::from_slice(&secrets.call(operation, request.to_string().as_bytes()).body)
            .unwrap()
    }

    #[test]
    fn a_secret_is_generated_and_found_by_each_of_its_names() {
        let secrets = Secrets::open(&declared(), None).unwrap();
        let arn = declared().pop().unwrap().arn;
        for name in ["latchkey-OtpKey", &arn, arn.trim_end_matches("-abc123")] {
            let answer = call(&secrets, "GetSecretValue", &json!({ "SecretId": name }));
            let value: Json =
                serde_json::from_str(answer.get("SecretString").unwrap().as_str().unwrap())
                    .unwrap();
            assert_eq!(value.get("key").unwrap().as_str().unwrap().len(), 64);
            assert_eq!(answer.get("ARN").unwrap(), &arn);
        }
        let answer = call(&secrets, "GetSecretValue", &json!({ "SecretId": "other" }));
        assert_eq!(answer.get("__type").unwrap(), "ResourceNotFoundException");
    }

    #[test]
    fn values_and_versions_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("local-secrets-{}", random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let get = json!({ "SecretId": "latchkey-OtpKey" });
        let put = json!({ "SecretId": "latchkey-OtpKey", "SecretString": "new" });
        let first = Secrets::open(&declared(), Some(&folder)).unwrap();
        let before = call(&first, "GetSecretValue", &get);
        let second = Secrets::open(&declared(), Some(&folder)).unwrap();
        assert_eq!(call(&second, "GetSecretValue", &get), before);
        call(&second, "PutSecretValue", &put);
        let third = Secrets::open(&declared(), Some(&folder)).unwrap();
        assert_eq!(call(&third, "GetSecretValue", &get).get("SecretString").unwrap(), "new");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
