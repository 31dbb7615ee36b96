//! A stand-in for Secrets Manager: secrets with versions and staging labels.
//!
//! It answers the operations of the service in JSON, and has no clock, no random numbers and no
//! connections: its caller brings the time and the id of a new version, and serves the answers. The
//! local stack serves it to processes, and the tests of the use cases to the process that they run
//! in.

mod secret;

use secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The secrets of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretsManager {
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    arn: String,
    secret: Secret,
}

/// What a change to a secret takes from outside.
#[derive(Debug, Clone)]
pub struct Change {
    /// The time, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The id of a new version, if the request names none.
    pub version: String,
}

/// An error of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code, such as `ResourceNotFoundException`.
    pub kind: &'static str,
    pub message: String,
}

impl Refusal {
    fn not_found(message: &str) -> Self {
        Self { kind: "ResourceNotFoundException", message: message.to_owned() }
    }

    fn invalid(message: &str) -> Self {
        Self { kind: "InvalidParameterException", message: message.to_owned() }
    }

    /// Returns the error in JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({ "__type": self.kind, "message": self.message })
    }
}

/// Tells whether a request can use this text for a secret: its name, its ARN, or its ARN without
/// the random end.
#[must_use]
pub fn is_name_of_secret(text: &str, name: &str, arn: &str) -> bool {
    let partial_arn = arn.rsplit_once('-').map(|(partial, _)| partial);
    text == name || text == arn || Some(text) == partial_arn
}

impl SecretsManager {
    /// Adds a secret. Its only version, if there is one, is the current one.
    pub fn add(&mut self, name: &str, arn: &str, value: Option<&str>, change: Change) {
        let (name, arn) = (name.to_owned(), arn.to_owned());
        self.entries.push(Entry { name, arn, secret: Secret::new(value, change) });
    }

    /// Returns whether there is a secret with this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Keeps only the secrets whose names fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&str) -> bool) {
        self.entries.retain(|entry| fits(&entry.name));
    }

    /// Answers a request for an operation.
    ///
    /// # Errors
    ///
    /// The errors of the service. The secrets are unchanged then.
    pub fn call(&mut self, operation: &str, body: &[u8], change: Change) -> Result<Json, Refusal> {
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| request.get(name).and_then(Json::as_str);
        let named = text("SecretId").and_then(|name| {
            self.entries.iter_mut().find(|entry| is_name_of_secret(name, &entry.name, &entry.arn))
        });
        let entry = named.ok_or_else(|| {
            Refusal::not_found("Secrets Manager can't find the specified secret.")
        })?;
        let secret = &mut entry.secret;
        let mut answer = match operation {
            "GetSecretValue" => secret.value(text("VersionId"), text("VersionStage"))?,
            "DescribeSecret" => secret.describe(),
            "ListSecretVersionIds" => {
                secret.list(request.get("IncludeDeprecated") == Some(&Json::Bool(true)))
            }
            "PutSecretValue" => {
                let value = text("SecretString")
                    .ok_or_else(|| Refusal::invalid("You must provide SecretString."))?;
                secret.put(value, text("ClientRequestToken"), &stages(&request), change)?
            }
            "UpdateSecretVersionStage" => {
                let stage = text("VersionStage")
                    .ok_or_else(|| Refusal::invalid("You must provide VersionStage."))?;
                let (from, to) = (text("RemoveFromVersionId"), text("MoveToVersionId"));
                secret.move_stage(stage, from, to, change.at)?
            }
            other => {
                let message = format!("unsupported operation {other} of Secrets Manager");
                return Err(Refusal { kind: "UnknownOperationException", message });
            }
        };
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("ARN".to_owned(), entry.arn.clone().into());
            fields.insert("Name".to_owned(), entry.name.clone().into());
        }
        Ok(answer)
    }
}

fn stages(request: &Json) -> Vec<String> {
    let stages = request.get("VersionStages").and_then(Json::as_array).into_iter().flatten();
    stages.filter_map(|stage| stage.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "latchkey/OtpKey";
    const ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:latchkey/OtpKey-abc123";

    fn change() -> Change {
        Change { at: 1000, version: "first".to_owned() }
    }

    fn one() -> SecretsManager {
        let mut secrets = SecretsManager::default();
        secrets.add(NAME, ARN, Some("text"), change());
        secrets
    }

    #[test]
    fn a_secret_is_found_by_each_of_its_names() {
        let mut secrets = one();
        for name in [NAME, ARN, ARN.trim_end_matches("-abc123")] {
            let request = json!({ "SecretId": name }).to_string();
            let answer = secrets.call("GetSecretValue", request.as_bytes(), change()).unwrap();
            let expected = json!({
                "ARN": ARN, "Name": NAME, "VersionId": "first", "SecretString": "text",
                "VersionStages": ["AWSCURRENT"], "CreatedDate": 1.0,
            });
            assert_eq!(answer, expected);
        }
        let refusal = secrets.call("GetSecretValue", br#"{"SecretId":"other"}"#, change());
        assert_eq!(refusal.unwrap_err().kind, "ResourceNotFoundException");
    }

    #[test]
    fn an_incomplete_request_and_another_operation_are_refused() {
        for (operation, kind) in [
            ("PutSecretValue", "InvalidParameterException"),
            ("UpdateSecretVersionStage", "InvalidParameterException"),
            ("DeleteSecret", "UnknownOperationException"),
        ] {
            let request = json!({ "SecretId": NAME }).to_string();
            let refusal = one().call(operation, request.as_bytes(), change()).unwrap_err();
            assert_eq!(refusal.kind, kind, "{operation}");
        }
    }
}
