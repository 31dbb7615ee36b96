//! Rotates keys: publishes a new key, waits until every process knows it, and promotes it.

use crate::domain::challenge::KeyId;
use crate::domain::key_rotation::{
    KeyRotationOutcome as Outcome, KeyVersion, NewKey, RotatedKey, RotationPolicy, RotationStep,
};
use crate::ports::{Clock, Entropy, KeyRotation, PortError, chain, random};
use futures_util::future::join_all;
use std::sync::Arc;

/// Takes the steps of the rotation that are due.
///
/// It has no state besides the state of the keys. It may run at any time, concurrently, and again
/// after a crash.
pub struct RotateKeys {
    pub rotation: Arc<dyn KeyRotation>,
    /// The keys to rotate.
    pub keys: Vec<RotatedKey>,
    pub policy: RotationPolicy,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// The reason why keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeysError {
    /// There is no key with this name. Nothing was done.
    #[error("there is no key {0}")]
    Unknown(String),
    /// At least one key could not be read or changed. The other keys were rotated.
    #[error(transparent)]
    Internal(#[from] PortError),
}

/// The outcome of a rotation for one key, and the state of the key after it.
#[derive(Debug)]
pub struct KeyRotationReport {
    /// The name of the key.
    pub key: String,
    /// What was done.
    pub outcome: Outcome,
    /// The key that signs.
    pub current: KeyId,
    /// The key that is published.
    pub next: Option<KeyId>,
}

/// When a step is taken.
#[derive(Clone, Copy)]
enum When {
    Due,
    AtOnce,
}

impl RotateKeys {
    /// Takes one step for every key for which one is due.
    ///
    /// # Errors
    /// [`RotateKeysError::Internal`]; every key that failed is logged.
    pub async fn run(&self) -> Result<Vec<KeyRotationReport>, RotateKeysError> {
        Ok(self.rotate_all(&self.keys, When::Due).await?)
    }

    /// Replaces the keys with these names at once, whether or not a step is due and other processes
    /// know the new key. What the previous key signed is refused from then on. To make a leaked key
    /// useless, replace it twice.
    ///
    /// # Errors
    /// [`RotateKeysError`].
    pub async fn at_once(
        &self,
        names: &[String],
    ) -> Result<Vec<KeyRotationReport>, RotateKeysError> {
        let find = |name: &String| {
            let key = self.keys.iter().find(|key| key.name == *name).cloned();
            key.ok_or_else(|| RotateKeysError::Unknown(name.clone()))
        };
        let keys = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        Ok(self.rotate_all(&keys, When::AtOnce).await?)
    }

    async fn rotate_all(
        &self,
        keys: &[RotatedKey],
        when: When,
    ) -> Result<Vec<KeyRotationReport>, PortError> {
        let reports = join_all(keys.iter().map(|key| self.rotate(key, when))).await;
        let (mut rotated, mut failure) = (Vec::new(), None);
        for (key, report) in keys.iter().zip(reports) {
            match report {
                Ok(report) => rotated.push(report),
                Err(error) => {
                    tracing::error!(key = key.name, error = chain(&error), "a key was not rotated");
                    failure = Some(error);
                }
            }
        }
        failure.map_or(Ok(rotated), Err)
    }

    async fn rotate(&self, key: &RotatedKey, when: When) -> Result<KeyRotationReport, PortError> {
        let state = self.rotation.key_state(&key.secret).await?;
        let step = self.policy.step(&state, self.clock.now());
        let (outcome, done) = match (when, step) {
            (When::AtOnce, _) => {
                let new = self.new_key()?;
                (Outcome::Replaced, self.rotation.replace(&key.secret, &state, &new).await?)
            }
            (When::Due, RotationStep::Publish) => {
                let new = self.new_key()?;
                (Outcome::Published, self.rotation.publish(&key.secret, &state, &new).await?)
            }
            (When::Due, RotationStep::Promote(next)) => {
                (Outcome::Promoted, self.rotation.promote(&key.secret, &state, &next).await?)
            }
            (When::Due, RotationStep::Wait) => (Outcome::Unchanged, None),
        };
        let outcome = match (outcome, &done) {
            (Outcome::Unchanged, _) | (_, Some(_)) => outcome,
            (_, None) => Outcome::Conflict,
        };
        let done = done.map(|KeyVersion { id, .. }| id);
        let seen = state.next.map(|next| next.id);
        let (current, next) = match outcome {
            Outcome::Published => (state.current.id, done),
            Outcome::Promoted | Outcome::Replaced => (done.unwrap_or(state.current.id), None),
            Outcome::Unchanged | Outcome::Conflict => (state.current.id, seen),
        };
        if outcome != Outcome::Unchanged {
            tracing::info!(
                key = key.name,
                turn = outcome.as_str(),
                current = current.as_str(),
                next = next.as_ref().map(KeyId::as_str),
                "key rotation step"
            );
        }
        Ok(KeyRotationReport { key: key.name.clone(), outcome, current, next })
    }

    fn new_key(&self) -> Result<NewKey, PortError> {
        Ok(NewKey::new(&random::<48>(&*self.entropy)?))
    }
}
