//! Secrets Manager: secrets with versions and staging labels.

mod secret;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::secret::{Refusal, Secret};
use super::reply::Reply;
use crate::sync::lock;
use crate::template::{GeneratedSecret, SecretSource, SecretSpec};
use crate::{files, random};

/// All secrets of the template.
#[derive(Debug)]
pub(crate) struct Secrets {
    vault: Mutex<Vec<Entry>>,
    file: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(skip)]
    id: String,
    name: String,
    arn: String,
    secret: Secret,
}

/// A secret as it is kept.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// Its name.
    pub name: String,
    /// What it held and holds, by the versions' ids; those without a label, too.
    pub versions: BTreeMap<String, String>,
    /// The version that each label is on.
    pub labels: BTreeMap<String, String>,
}

impl Secrets {
    /// Takes the secrets of an earlier run from `folder`, if there is one, and generates the others.
    pub(crate) fn open(specs: &[SecretSpec], folder: Option<&Path>) -> anyhow::Result<Self> {
        let file = folder.map(|folder| folder.join("secrets.json"));
        let mut kept = match &file {
            Some(file) => read(file)?,
            None => Vec::new(),
        };
        let mut vault = Vec::new();
        for spec in specs {
            let earlier = kept.iter().position(|entry| entry.name == spec.name);
            let secret = match earlier {
                Some(index) => kept.swap_remove(index).secret,
                None => Secret::new(first_value(&spec.source)?),
            };
            let (id, name, arn) = (spec.id.clone(), spec.name.clone(), spec.arn.clone());
            vault.push(Entry { id, name, arn, secret });
        }
        let secrets = Self { vault: Mutex::new(vault), file };
        secrets.save(&lock(&secrets.vault))?;
        Ok(secrets)
    }

    /// The secrets' names.
    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.vault).iter().map(|entry| entry.name.clone()).collect()
    }

    /// The logical id of the secret that a request names.
    pub(super) fn resources(&self, body: &[u8]) -> Vec<String> {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let name = request.get("SecretId").and_then(Json::as_str);
        name.map(|name| {
            let vault = lock(&self.vault);
            vault.iter().find(|entry| entry.is(name)).map_or(name, |entry| &entry.id).to_owned()
        })
        .into_iter()
        .collect()
    }

    pub(super) fn call(&self, operation: &str, body: &[u8]) -> Reply {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| request.get(name).and_then(Json::as_str);
        let mut vault = lock(&self.vault);
        let named = text("SecretId").and_then(|name| vault.iter_mut().find(|entry| entry.is(name)));
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
            && let Err(error) = self.save(&vault)
        {
            return Reply::error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServiceError",
                &format!("{error:#}"),
            );
        }
        Reply::json(StatusCode::OK, &answer)
    }

    /// Writes all secrets anew: a version that was acknowledged must be there after a crash.
    fn save(&self, vault: &[Entry]) -> anyhow::Result<()> {
        match &self.file {
            Some(file) => files::replace(file, &serde_json::to_vec(vault)?),
            None => Ok(()),
        }
    }
}

impl Entry {
    /// A secret is named by its name, its ARN, or its ARN without the random ending.
    fn is(&self, name: &str) -> bool {
        let bare = self.arn.rsplit_once('-').map_or("", |(bare, _)| bare);
        name == self.name || name == self.arn || name == bare
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Entry>> {
    match files::read_if_there(file)? {
        Some(text) => {
            serde_json::from_slice(&text).with_context(|| format!("cannot read {}", file.display()))
        }
        None => Ok(Vec::new()),
    }
}

fn first_value(source: &SecretSource) -> anyhow::Result<String> {
    let GeneratedSecret { length, alphabet, inside } = match source {
        SecretSource::Fixed(text) => return Ok(text.clone()),
        SecretSource::Generated(rules) => rules,
    };
    let generated = random::text(alphabet, *length)?;
    Ok(match inside {
        None => generated,
        Some((template, key)) => {
            let mut object = template.clone();
            object.insert(key.clone(), generated.into());
            Json::Object(object).to_string()
        }
    })
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

    fn specs() -> Vec<SecretSpec> {
        let inside = Some((serde_json::Map::new(), "key".to_owned()));
        vec![SecretSpec {
            id: "OtpKey".into(),
            name: "latchkey-OtpKey".into(),
            arn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey-OtpKey-abc123"
                .into(),
            source: SecretSource::Generated(GeneratedSecret {
                length: 64,
                alphabet: b"ab".to_vec(),
                inside,
            }),
        }]
    }

    fn call(secrets: &Secrets, operation: &str, request: &Json) -> Json {
        serde_json::from_slice(&secrets.call(operation, request.to_string().as_bytes()).body)
            .unwrap()
    }

    #[test]
    fn a_secret_is_generated_by_its_rules_and_found_by_each_of_its_names() {
        let secrets = Secrets::open(&specs(), None).unwrap();
        let arn = specs().pop().unwrap().arn;
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
        let first = Secrets::open(&specs(), Some(&folder)).unwrap();
        let before = call(&first, "GetSecretValue", &get);
        let second = Secrets::open(&specs(), Some(&folder)).unwrap();
        assert_eq!(call(&second, "GetSecretValue", &get), before);
        call(&second, "PutSecretValue", &put);
        let third = Secrets::open(&specs(), Some(&folder)).unwrap();
        assert_eq!(call(&third, "GetSecretValue", &get).get("SecretString").unwrap(), "new");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
