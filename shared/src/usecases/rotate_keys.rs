//! Rotate keys: publish, wait until everybody knows, sign, retire.

use crate::domain::challenge::KeyId;
use crate::domain::key_rotation::{KeyVersion, NewKey, RotatedKey, RotationPolicy, Step, Turn};
use crate::ports::{Clock, Entropy, KeyRotation, PortError, chain, random};
use futures_util::future::join_all;
use std::sync::Arc;

/// Takes the steps that are due.
///
/// There is no state but the keys' own, so it may run at any time, twice at once, and again after
/// a crash.
pub struct RotateKeys {
    /// Changes keys.
    pub rotation: Arc<dyn KeyRotation>,
    /// The keys.
    pub keys: Vec<RotatedKey>,
    /// How fast they follow each other.
    pub policy: RotationPolicy,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// Why keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeysError {
    /// There is no key of this name; nothing was done.
    #[error("there is no key {0}")]
    Unknown(String),
    /// At least one key could not be looked at or changed; the others were.
    #[error(transparent)]
    Internal(#[from] PortError),
}

/// What a key did, and how it stands now.
#[derive(Debug)]
pub struct KeyRotationReport {
    /// The key's name.
    pub key: String,
    /// What it did.
    pub outcome: Turn,
    /// The one that signs.
    pub current: KeyId,
    /// The one that is published.
    pub next: Option<KeyId>,
}

/// Whether to wait until a step is due.
#[derive(Clone, Copy)]
enum When {
    Due,
    AtOnce,
}

impl RotateKeys {
    /// Takes one step with every key for which one is due.
    ///
    /// # Errors
    /// [`RotateKeysError::Internal`]; each key that failed is logged.
    pub async fn run(&self) -> Result<Vec<KeyRotationReport>, RotateKeysError> {
        Ok(self.turns(&self.keys, When::Due).await?)
    }

    /// Replaces the keys of these names, due or not and known to everybody or not. What the key
    /// before last has signed is refused from then on: twice, and a leaked key is worthless.
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
        Ok(self.turns(&keys, When::AtOnce).await?)
    }

    async fn turns(
        &self,
        keys: &[RotatedKey],
        when: When,
    ) -> Result<Vec<KeyRotationReport>, PortError> {
        let turns = join_all(keys.iter().map(|key| self.turn(key, when))).await;
        let (mut taken, mut failure) = (Vec::new(), None);
        for (key, turn) in keys.iter().zip(turns) {
            match turn {
                Ok(turn) => taken.push(turn),
                Err(error) => {
                    tracing::error!(key = key.name, error = chain(&error), "a key was not rotated");
                    failure = Some(error);
                }
            }
        }
        failure.map_or(Ok(taken), Err)
    }

    async fn turn(&self, key: &RotatedKey, when: When) -> Result<KeyRotationReport, PortError> {
        let standing = self.rotation.standing(&key.secret).await?;
        let step = self.policy.step(&standing, self.clock.now());
        let (turn, done) = match (when, step) {
            (When::AtOnce, _) => {
                let new = self.new_key()?;
                (Turn::Replaced, self.rotation.replace(&key.secret, &standing, &new).await?)
            }
            (When::Due, Step::Publish) => {
                let new = self.new_key()?;
                (Turn::Published, self.rotation.publish(&key.secret, &standing, &new).await?)
            }
            (When::Due, Step::Sign(next)) => {
                (Turn::Signs, self.rotation.sign_with(&key.secret, &standing, &next).await?)
            }
            (When::Due, Step::Rest) => (Turn::Rests, None),
        };
        let turn = match (turn, &done) {
            (Turn::Rests, _) | (_, Some(_)) => turn,
            (_, None) => Turn::Overtaken,
        };
        let done = done.map(|KeyVersion { id, .. }| id);
        let seen = standing.next.map(|next| next.id);
        let (current, next) = match turn {
            Turn::Published => (standing.current.id, done),
            Turn::Signs | Turn::Replaced => (done.unwrap_or(standing.current.id), None),
            Turn::Rests | Turn::Overtaken => (standing.current.id, seen),
        };
        if turn != Turn::Rests {
            tracing::info!(
                key = key.name,
                turn = turn.as_str(),
                current = current.as_str(),
                next = next.as_ref().map(KeyId::as_str),
                "a key had its turn"
            );
        }
        Ok(KeyRotationReport { key: key.name.clone(), outcome: turn, current, next })
    }

    fn new_key(&self) -> Result<NewKey, PortError> {
        Ok(NewKey::new(&random::<48>(&*self.entropy)?))
    }
}
