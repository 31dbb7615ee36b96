//! Rotation of keys in Secrets Manager.
//!
//! The next key is the version with the stage AWSPENDING, the current one has AWSCURRENT, the
//! previous one AWSPREVIOUS, which Secrets Manager moves by itself. AWSPENDING stays where it is
//! when its version becomes the current one, so that each step is one call and nothing can happen
//! between two; on a version that is or was the current one it means nothing.

use super::aws::{Aws, Pace, client, failed};
use super::key_ring::{CURRENT, PENDING, PREVIOUS, key_id};
use crate::domain::id::hex;
use crate::domain::key_rotation::{KeyStanding, KeyVersion, NewKey};
use crate::domain::time::Timestamp;
use crate::ports::{KeyRotation, PortError};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use std::collections::HashMap;

/// The stages of each version.
type Stages = HashMap<String, Vec<String>>;

/// Rotates keys that are secrets of the account.
pub struct SecretRotation {
    client: Client,
}

fn version(id: &str) -> KeyVersion {
    KeyVersion { id: key_id(id), secret_version: id.to_owned() }
}

/// The version that has a stage.
fn holder(stages: &Stages, stage: &str) -> Option<KeyVersion> {
    let mut versions = stages.iter();
    let found = versions.find(|(_, stages)| stages.iter().any(|other| other == stage));
    found.map(|(id, _)| version(id))
}

/// The current version and the next one.
fn line(stages: &Stages) -> (Option<KeyVersion>, Option<KeyVersion>) {
    let (current, previous) = (holder(stages, CURRENT), holder(stages, PREVIOUS));
    let next = holder(stages, PENDING).map(Some);
    (current.clone(), next.filter(|next| *next != current && *next != previous).flatten())
}

/// The request token, which becomes the version's id. It follows from the standing and the stages:
/// who starts from the same standing asks for the same version, and the second to ask is refused,
/// for the key is another one. And no standing comes twice, even if somebody moves stages back.
fn request_token(standing: &KeyStanding, stages: &[&str]) -> String {
    let seed = format!(
        "{} {} {}",
        standing.current.secret_version,
        standing.changed_at.as_millis(),
        stages.join(",")
    );
    hex(ring::digest::digest(&ring::digest::SHA256, seed.as_bytes()).as_ref())
}

impl SecretRotation {
    /// Rotates through the account's Secrets Manager.
    #[must_use]
    pub fn new(aws: &Aws) -> Self {
        let client = client!(aws_sdk_secretsmanager, aws, "SECRETS_MANAGER", Pace::Repeat);
        Self { client }
    }

    /// Adds a version and puts these stages on it.
    async fn put(
        &self,
        key: &str,
        standing: &KeyStanding,
        new: &NewKey,
        stages: &[&str],
    ) -> Result<Option<KeyVersion>, PortError> {
        let token = request_token(standing, stages);
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        let value = serde_json::json!({"key": new.expose()}).to_string();
        let put = self.client.put_secret_value().secret_id(key).client_request_token(&token);
        match put.secret_string(value).set_version_stages(Some(stages)).send().await {
            Ok(_) => Ok(Some(version(&token))),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(None),
            Err(error) => Err(failed("add a version to a secret", &error)),
        }
    }
}

#[async_trait]
impl KeyRotation for SecretRotation {
    async fn standing(&self, key: &str) -> Result<KeyStanding, PortError> {
        let described = self.client.describe_secret().secret_id(key).send().await;
        let described = described.map_err(|error| failed("describe a secret", &error))?;
        let lacking = |what: &'static str| PortError::new("describe a secret", what);
        let stages = described.version_ids_to_stages.unwrap_or_default();
        let (current, next) = line(&stages);
        let current = current.ok_or_else(|| lacking("it has no current key"))?;
        // Whatever changed it: the labels' moves are among it, and a change too many only delays.
        let changed_at = described.last_changed_date.or(described.created_date);
        let changed_at = changed_at.and_then(|date| date.to_millis().ok());
        let changed_at = changed_at.ok_or_else(|| lacking("it does not say when it changed"))?;
        Ok(KeyStanding { current, next, changed_at: Timestamp::from_millis(changed_at) })
    }

    async fn publish(
        &self,
        key: &str,
        standing: &KeyStanding,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError> {
        self.put(key, standing, new, &[PENDING]).await
    }

    async fn sign_with(
        &self,
        key: &str,
        standing: &KeyStanding,
        next: &KeyVersion,
    ) -> Result<Option<KeyVersion>, PortError> {
        // The stage is only moved from where it was seen.
        let update = self.client.update_secret_version_stage().secret_id(key);
        let update =
            update.version_stage(CURRENT).remove_from_version_id(&standing.current.secret_version);
        match update.move_to_version_id(&next.secret_version).send().await {
            Ok(_) => Ok(Some(next.clone())),
            Err(error) if error.code() == Some("InvalidParameterException") => Ok(None),
            Err(error) => Err(failed("move a stage of a secret", &error)),
        }
    }

    async fn replace(
        &self,
        key: &str,
        standing: &KeyStanding,
        new: &NewKey,
    ) -> Result<Option<KeyVersion>, PortError> {
        // With both stages, so that a key that was published before never signs.
        self.put(key, standing, new, &[CURRENT, PENDING]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(current: &str, changed_at: i64) -> KeyStanding {
        let changed_at = Timestamp::from_millis(changed_at);
        KeyStanding { current: version(current), next: None, changed_at }
    }

    #[test]
    fn a_pending_version_is_the_next_one_unless_it_had_its_turn() {
        let line_of = |stages: &[(&str, &[&str])]| {
            let owned = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
            let stages = stages.iter().map(|(id, stages)| ((*id).to_owned(), owned(stages)));
            let (current, next) = line(&stages.collect());
            (
                current.map(|version| version.secret_version),
                next.map(|version| version.secret_version),
            )
        };
        let is = |current: Option<&str>, next: Option<&str>| {
            (current.map(str::to_owned), next.map(str::to_owned))
        };
        assert_eq!(line_of(&[("a", &[CURRENT])]), is(Some("a"), None));
        assert_eq!(line_of(&[("a", &[CURRENT]), ("b", &[PENDING])]), is(Some("a"), Some("b")));
        let signs = [("a", &[PREVIOUS] as &[_]), ("b", &[CURRENT, PENDING])];
        assert_eq!(line_of(&signs), is(Some("b"), None));
        // Somebody took the last step back by hand: it is not taken again.
        let back = [("a", &[CURRENT] as &[_]), ("b", &[PREVIOUS, PENDING])];
        assert_eq!(line_of(&back), is(Some("a"), None));
        assert_eq!(line_of(&[("b", &[PENDING])]), is(None, Some("b")));
    }

    #[test]
    fn one_standing_makes_one_token_and_another_makes_another() {
        let token = |current, at, stages: &[&str]| request_token(&standing(current, at), stages);
        let one = token("a", 1, &[PENDING]);
        // Secrets Manager takes 32 to 64 characters.
        assert_eq!(one.len(), 64);
        assert_eq!(one, token("a", 1, &[PENDING]));
        for other in
            [token("b", 1, &[PENDING]), token("a", 2, &[PENDING]), token("a", 1, &[CURRENT])]
        {
            assert_ne!(one, other);
        }
    }
}
