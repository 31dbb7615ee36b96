//! The management of clients by an administrator: the payloads of an invocation, not of a request
//! (CONTRACT.md, "Clients").

use super::PROFILE;
use crate::domain::client::{ClientId, ClientStatus, Scopes, WhichSecret};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::realm::Realm;
use crate::usecases::NewCredentials;
use serde_json::{Map, Value, json};

/// The scopes that a client can have.
const SCOPES: [&str; 2] = ["user:read", "user:write"];
/// The length of the longest shop code.
const SHOP_MAX: usize = 64;

/// The payload of an invocation.
#[derive(Debug)]
pub struct ClientRequest {
    pub task: ClientTask,
    pub key: Option<IdempotencyKey>,
}

impl ClientRequest {
    /// Reads a payload: a task, and the key that allows to repeat it.
    ///
    /// # Errors
    /// The rule that the payload breaks.
    pub fn read(payload: &Value) -> Result<Self, ClientTaskError> {
        let mut task = payload.clone();
        let key = task.as_object_mut().and_then(|fields| fields.remove("idempotencyKey"));
        let key = key.map(|key| {
            let key = key.as_str().and_then(IdempotencyKey::parse);
            key.ok_or(ClientTaskError::IdempotencyKey)
        });
        Ok(Self { task: ClientTask::read(&task)?, key: key.transpose()? })
    }
}

/// The task that a payload describes.
#[derive(Debug, PartialEq, Eq)]
pub enum ClientTask {
    /// Create a client.
    Create { realm: Realm, scopes: Scopes },
    /// Add a second secret to a client.
    AddSecret(ClientId),
    /// Delete one of its two secrets.
    Retire(ClientId, WhichSecret),
    /// Suspend it, or activate it again.
    SetStatus(ClientId, ClientStatus),
}

/// The reason why a payload is refused. The text states the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientTaskError {
    /// The payload does not have one of the four forms.
    #[error(
        "the payload must be {{\"store\",\"scopes\"}}, {{\"clientId\"}}, {{\"clientId\",\"retire\"}} \
         or {{\"clientId\",\"suspended\"}}, each with or without \"idempotencyKey\""
    )]
    Shape,
    /// The shop code is malformed.
    #[error("store must be 1 to 64 letters, digits, - or _")]
    Store,
    /// The list of scopes is empty, or a scope is unknown.
    #[error("scopes must be a list of user:read and user:write, at least one of them")]
    Scopes,
    /// The idempotency key is malformed.
    #[error("idempotencyKey must be a string of 1 to 255 characters")]
    IdempotencyKey,
    /// The client's id is malformed.
    #[error("clientId must be 32 hex digits")]
    ClientId,
    /// The secret is neither the old nor the new one.
    #[error("retire must be \"old\" or \"new\"")]
    Retire,
    /// The status is not a boolean.
    #[error("suspended must be true or false")]
    Suspended,
}

fn realm(shop: &Value) -> Option<Realm> {
    let shop = shop.as_str()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=SHOP_MAX).contains(&shop.len()) && shop.bytes().all(allowed);
    fits.then(|| Realm::of_shop(PROFILE.name, shop))
}

fn scopes(list: &Value) -> Option<Scopes> {
    let known = |scope: &Value| {
        let known = SCOPES.into_iter().find(|known| scope == known)?;
        Some(known.to_owned())
    };
    let scopes = list.as_array()?.iter().map(known).collect::<Option<Scopes>>()?;
    (!scopes.is_empty()).then_some(scopes)
}

fn client_id(value: &Value) -> Result<ClientId, ClientTaskError> {
    value.as_str().and_then(ClientId::parse).ok_or(ClientTaskError::ClientId)
}

impl ClientTask {
    /// Reads a payload. An unexpected field is refused, because a typing mistake must not create a
    /// secret.
    ///
    /// # Errors
    /// The rule that the payload breaks.
    pub fn read(payload: &Value) -> Result<Self, ClientTaskError> {
        let fields = payload.as_object().ok_or(ClientTaskError::Shape)?;
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        let field = |name: &str| fields.get(name).unwrap_or(&Value::Null);
        match sorted(names).as_slice() {
            ["scopes", "store"] => Ok(Self::Create {
                realm: realm(field("store")).ok_or(ClientTaskError::Store)?,
                scopes: scopes(field("scopes")).ok_or(ClientTaskError::Scopes)?,
            }),
            ["clientId"] => Ok(Self::AddSecret(client_id(field("clientId"))?)),
            ["clientId", "retire"] => {
                let id = client_id(field("clientId"))?;
                match field("retire").as_str() {
                    Some("old") => Ok(Self::Retire(id, WhichSecret::Old)),
                    Some("new") => Ok(Self::Retire(id, WhichSecret::New)),
                    _ => Err(ClientTaskError::Retire),
                }
            }
            ["clientId", "suspended"] => {
                let id = client_id(field("clientId"))?;
                match field("suspended") {
                    Value::Bool(true) => Ok(Self::SetStatus(id, ClientStatus::Suspended)),
                    Value::Bool(false) => Ok(Self::SetStatus(id, ClientStatus::Active)),
                    _ => Err(ClientTaskError::Suspended),
                }
            }
            _ => Err(ClientTaskError::Shape),
        }
    }
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

/// The response with a new secret. No other response shows it.
#[must_use]
pub fn credentials(new: &NewCredentials) -> Value {
    json!({"clientId": new.id.as_str(), "clientSecret": new.secret.expose()})
}

/// The response to a change: repeats the payload.
#[must_use]
pub fn changed(payload: &Value) -> Value {
    Value::Object(payload.as_object().cloned().unwrap_or_else(Map::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn the_four_payloads_are_read() {
        let id = || ClientId::parse(ID).unwrap();
        let both = json!({"store": "STORE1", "scopes": ["user:write", "user:read"]});
        let realm = Realm::of_shop(PROFILE.name, "STORE1");
        let scopes = SCOPES.map(str::to_owned).into();
        assert_eq!(ClientTask::read(&both), Ok(ClientTask::Create { realm, scopes }));
        let cases = [
            (json!({"clientId": ID}), ClientTask::AddSecret(id())),
            (json!({"clientId": ID, "retire": "old"}), ClientTask::Retire(id(), WhichSecret::Old)),
            (json!({"clientId": ID, "retire": "new"}), ClientTask::Retire(id(), WhichSecret::New)),
            (
                json!({"clientId": ID, "suspended": true}),
                ClientTask::SetStatus(id(), ClientStatus::Suspended),
            ),
        ];
        for (payload, task) in cases {
            assert_eq!(ClientTask::read(&payload), Ok(task));
        }
    }

    #[test]
    fn any_other_payload_is_refused_with_the_rule_that_it_breaks() {
        let scopes = json!(["user:read"]);
        let cases = [
            (Value::Null, ClientTaskError::Shape),
            (json!([]), ClientTaskError::Shape),
            (json!({}), ClientTaskError::Shape),
            (json!({"store": "S"}), ClientTaskError::Shape),
            (json!({"store": "S", "scopes": scopes, "x": 1}), ClientTaskError::Shape),
            (json!({"clientId": ID, "retired": "old"}), ClientTaskError::Shape),
            (json!({"store": "", "scopes": scopes}), ClientTaskError::Store),
            (json!({"store": "A#B", "scopes": scopes}), ClientTaskError::Store),
            (json!({"store": "x".repeat(65), "scopes": scopes}), ClientTaskError::Store),
            (json!({"store": 1, "scopes": scopes}), ClientTaskError::Store),
            (json!({"store": "S", "scopes": []}), ClientTaskError::Scopes),
            (json!({"store": "S", "scopes": "user:read"}), ClientTaskError::Scopes),
            (json!({"store": "S", "scopes": ["user:read", "all"]}), ClientTaskError::Scopes),
            (json!({"clientId": "x"}), ClientTaskError::ClientId),
            (json!({"clientId": ID, "retire": "both"}), ClientTaskError::Retire),
            (json!({"clientId": ID, "suspended": "yes"}), ClientTaskError::Suspended),
        ];
        for (payload, error) in cases {
            assert_eq!(ClientTask::read(&payload), Err(error), "{payload}");
        }
    }
}
