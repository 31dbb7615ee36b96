//! The rotation of keys in Secrets Manager.
//!
//! The current key is the version with the stage AWSCURRENT, the next key has AWSPENDING, and the
//! previous key has AWSPREVIOUS, which Secrets Manager moves by itself. AWSPENDING stays on a
//! version that becomes the current one, so that each step is a single call that cannot be
//! interrupted. It has no meaning on a version that is or was the current one.

use super::aws::{Aws, port_error};
use super::key_ring::{CURRENT, PENDING, PREVIOUS, key_id};
use crate::domain::id::hex;
use crate::domain::key_rotation::{KeyState, KeyVersion, NewKey};
use crate::domain::time::Timestamp;
use crate::ports::{KeyRotation, PortError};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use std::collections::HashMap;

/// The stages of each version id.
type Stages = HashMap<String, Vec<String>>;

/// Rotates keys that are secrets of the AWS account.
pub struct SecretRotation {
    client: Client,
}

fn version(id: &str) -> KeyVersion {
    KeyVersion { id: key_id(id), secret_version: id.to_owned() }
}

/// Returns the version with a stage.
fn holder(stages: &Stages, stage: &str) -> Option<KeyVersion> {
    let mut versions = stages.iter();
    let found = versions.find(|(_, stages)| stages.iter().any(|other| other == stage));
    found.map(|(id, _)| version(id))
}

/// Returns the current version and the next one.
fn current_and_next(stages: &Stages) -> (Option<KeyVersion>, Option<KeyVersion>) {
    let (current, previous) = (holder(stages, CURRENT), holder(stages, PREVIOUS));
    let next = holder(stages, PENDING).map(Some);
    (current.clone(), next.filter(|next| *next != current && *next != previous).flatten())
}

/// Returns the client request token, which becomes the id of the new version. It follows from the
/// state of the key and the new stages. Two callers with the same state therefore ask for the same
/// version, and Secrets Manager refuses the second one, because its key differs. A state never
/// repeats, even if an operator moves stages back, because it contains the time of the last change.
fn request_token(state: &KeyState, stages: &[&str]) -> String {
    let seed = format!(
        "{} {} {}",
        state.current.secret_version,
        state.changed_at.as_millis(),
        stages.join(",")
    );
    hex(ring::digest::digest(&ring::digest::SHA256, seed.as_bytes()).as_ref())
}

impl SecretRotation {
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        Self { client: aws.secrets() }
    }

    /// Adds a version with these stages.
    async fn put(
        &self,
        key: &str,
        state: &KeyState,
        new: &NewKey,
        stages: &[&str],
    ) -> Result<Option<KeyVersion>, PortError> {
        let token = request_token(state, stages);
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        let value = serde_json::json!({"key": new.expose()}).to_string();
        let put = self.client.put_secret_value().secret_id(key).client_request_token(&token);
        match put.secret_string(value).set_version_stages(Some(stages)).send().await {
            Ok(_) => Ok(Some(version(&token))),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(None),
            Err(error) => Err(port_error("add a version to a secret", &error)),
        }
    }
}

#[async_trait]
impl KeyRotation for SecretRotation {
    async fn key_state(&self, key: &str) -> Result<KeyState, PortError> {
        let described = self.client.describe_secret().secret_id(key).send().await;
        let described = described.map_err(|error| port_error("describe a secret", &error))?;
        let missing = |what: &'static str| PortError::new("describe a secret", what);
        let stages = described.version_ids_to_stages.unwrap_or_default();
        let (current, next) = current_and_next(&stages);
        let current = current.ok_or_else(|| missing("it has no current key"))?;
        // Any change counts, also a move of a stage. An unrelated change only delays the next step.
        let changed_at = described.last_changed_date.or(described.created_date);
        let changed_at = changed_at.and_then(|date| date.to_millis().ok());
        let changed_at = changed_at.ok_or_else(|| missing("it does not say when it changed"))?;
        Ok(KeyState { current, next, changed_at: Timestamp::from_millis(changed_at) })
    }

    async fn publish(
        &self,
        key: &str,
        state: &KeyState,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError> {
        self.put(key, state, new, &[PENDING]).await
    }

    async fn promote(
        &self,
        key: &str,
        state: &KeyState,
        next: &KeyVersion,
    ) -> Result<Option<KeyVersion>, PortError> {
        // The stage is moved only if it is still where the caller saw it.
        let update = self.client.update_secret_version_stage().secret_id(key);
        let update =
            update.version_stage(CURRENT).remove_from_version_id(&state.current.secret_version);
        match update.move_to_version_id(&next.secret_version).send().await {
            Ok(_) => Ok(Some(next.clone())),
            Err(error) if error.code() == Some("InvalidParameterException") => Ok(None),
            Err(error) => Err(port_error("move a stage of a secret", &error)),
        }
    }

    async fn replace(
        &self,
        key: &str,
        state: &KeyState,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError> {
        // The new version gets both stages, so that a key that was published before never becomes
        // current.
        self.put(key, state, new, &[CURRENT, PENDING]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(current: &str, changed_at: i64) -> KeyState {
        let changed_at = Timestamp::from_millis(changed_at);
        KeyState { current: version(current), next: None, changed_at }
    }

    #[test]
    fn a_pending_version_is_the_next_one_unless_it_was_current() {
        let current_and_next_of = |stages: &[(&str, &[&str])]| {
            let owned = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
            let stages = stages.iter().map(|(id, stages)| ((*id).to_owned(), owned(stages)));
            let (current, next) = current_and_next(&stages.collect());
            (
                current.map(|version| version.secret_version),
                next.map(|version| version.secret_version),
            )
        };
        let is = |current: Option<&str>, next: Option<&str>| {
            (current.map(str::to_owned), next.map(str::to_owned))
        };
        assert_eq!(current_and_next_of(&[("a", &[CURRENT])]), is(Some("a"), None));
        assert_eq!(
            current_and_next_of(&[("a", &[CURRENT]), ("b", &[PENDING])]),
            is(Some("a"), Some("b"))
        );
        let signs = [("a", &[PREVIOUS] as &[_]), ("b", &[CURRENT, PENDING])];
        assert_eq!(current_and_next_of(&signs), is(Some("b"), None));
        // An operator undid the last step. It is not repeated.
        let back = [("a", &[CURRENT] as &[_]), ("b", &[PREVIOUS, PENDING])];
        assert_eq!(current_and_next_of(&back), is(Some("a"), None));
        assert_eq!(current_and_next_of(&[("b", &[PENDING])]), is(None, Some("b")));
    }

    #[test]
    fn the_same_state_gives_the_same_token_and_another_state_another_one() {
        let token = |current, at, stages: &[&str]| request_token(&state(current, at), stages);
        let one = token("a", 1, &[PENDING]);
        // Secrets Manager requires 32 to 64 characters.
        assert_eq!(one.len(), 64);
        assert_eq!(one, token("a", 1, &[PENDING]));
        for other in
            [token("b", 1, &[PENDING]), token("a", 2, &[PENDING]), token("a", 1, &[CURRENT])]
        {
            assert_ne!(one, other);
        }
    }
}
