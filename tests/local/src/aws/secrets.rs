//! Secrets Manager, with the secrets of the template and a file that keeps them.

use super::Reply;
use crate::clock::Clock;
use crate::sync::lock;
use crate::{files, random};
use anyhow::Context;
use axum::http::StatusCode;
use secrets_manager::{Change, SecretsManager};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The secrets of the template.
#[derive(Debug)]
pub(crate) struct Secrets {
    manager: Mutex<SecretsManager>,
    file: Option<PathBuf>,
    clock: Clock,
}

impl Secrets {
    /// Reads the secrets that an earlier run left in `folder`, and generates the others.
    pub(crate) fn open(
        declared: &[template::Secret],
        folder: Option<&Path>,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let file = folder.map(|folder| folder.join("secrets.json"));
        let mut manager = match &file {
            Some(file) => read(file)?,
            None => SecretsManager::default(),
        };
        manager.retain(|name| declared.iter().any(|declared| declared.name == name));
        for declared in declared {
            if !manager.contains(&declared.name) {
                let value = first_value(declared)?;
                manager.add(&declared.name, &declared.arn, Some(&value), change(clock));
            }
        }
        let secrets = Self { manager: Mutex::new(manager), file, clock: clock.clone() };
        secrets.save(&lock(&secrets.manager))?;
        Ok(secrets)
    }

    pub(crate) fn call(&self, operation: &str, body: &[u8]) -> Reply {
        let mut manager = lock(&self.manager);
        let answer = match manager.call(operation, body, change(&self.clock)) {
            Ok(answer) => answer,
            Err(refusal) => return Reply::json(StatusCode::BAD_REQUEST, &refusal.to_json()),
        };
        if matches!(operation, "PutSecretValue" | "UpdateSecretVersionStage")
            && let Err(error) = self.save(&manager)
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
    fn save(&self, manager: &SecretsManager) -> anyhow::Result<()> {
        match &self.file {
            Some(file) => files::replace(file, &serde_json::to_vec(manager)?),
            None => Ok(()),
        }
    }
}

fn read(file: &Path) -> anyhow::Result<SecretsManager> {
    match files::read_if_exists(file)? {
        Some(text) => serde_json::from_slice(&text)
            .with_context(|| format!("failed to read {}", file.display())),
        None => Ok(SecretsManager::default()),
    }
}

/// Returns the time and the id of a change that is made now.
fn change(clock: &Clock) -> Change {
    Change { at: clock.millis(), version: random::uuid() }
}

fn first_value(declared: &template::Secret) -> anyhow::Result<String> {
    let mut object = declared.object.clone();
    object.insert(declared.key.clone(), random::alphanumeric(declared.length)?.into());
    Ok(Json::Object(object).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn declared() -> Vec<template::Secret> {
        vec![template::Secret {
            id: "OtpKey".into(),
            name: "latchkey/OtpKey".into(),
            arn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey/OtpKey-abc123"
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
    fn a_secret_is_generated() {
        let secrets = Secrets::open(&declared(), None, &Clock::default()).unwrap();
        let answer = call(&secrets, "GetSecretValue", &json!({ "SecretId": "latchkey/OtpKey" }));
        let value = answer.get("SecretString").unwrap().as_str().unwrap();
        let value: Json = serde_json::from_str(value).unwrap();
        assert_eq!(value.get("key").unwrap().as_str().unwrap().len(), 64);
        let answer = call(&secrets, "GetSecretValue", &json!({ "SecretId": "other" }));
        assert_eq!(answer.get("__type").unwrap(), "ResourceNotFoundException");
    }

    #[test]
    fn values_and_versions_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("local-secrets-{}", random::uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        let get = json!({ "SecretId": "latchkey/OtpKey" });
        let put = json!({ "SecretId": "latchkey/OtpKey", "SecretString": "new" });
        let first = Secrets::open(&declared(), Some(&folder), &Clock::default()).unwrap();
        let before = call(&first, "GetSecretValue", &get);
        let second = Secrets::open(&declared(), Some(&folder), &Clock::default()).unwrap();
        assert_eq!(call(&second, "GetSecretValue", &get), before);
        call(&second, "PutSecretValue", &put);
        let third = Secrets::open(&declared(), Some(&folder), &Clock::default()).unwrap();
        assert_eq!(call(&third, "GetSecretValue", &get).get("SecretString").unwrap(), "new");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
