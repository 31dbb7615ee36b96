//! Key rings: the versions of one secret.
//!
//! One secret in Secrets Manager holds one key, `{"key":"…"}`. Its ring is the versions with the
//! stages AWSCURRENT, AWSPREVIOUS and AWSPENDING; a key's id is the first 8 hex digits of the
//! SHA-256 of its version id. New things are made with the current key, old things are checked
//! with the key they name.

use super::aws::{Aws, Pace, client, failed};
use crate::domain::challenge::KeyId;
use crate::domain::id::hex;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, PortError, chain};
use aws_sdk_secretsmanager::Client;
use futures_util::future::try_join_all;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The stage of the key that new things are made with.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The stage of the key that will be the next one: known, so that it can be checked, and not used.
pub(super) const PENDING: &str = "AWSPENDING";
/// The stage of the key that was the current one before: what it made is still checked.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
/// The stages that make a ring.
const STAGES: [&str; 3] = [CURRENT, PREVIOUS, PENDING];
/// The longest pause between two readings that an unknown key or a failure asks for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The keys of one secret.
#[derive(Debug)]
pub struct Ring {
    current: KeyId,
    keys: HashMap<KeyId, SecretString>,
}

impl Ring {
    /// The id of the key that new things are made with.
    #[must_use]
    pub const fn current(&self) -> &KeyId {
        &self.current
    }

    /// The key of this id.
    #[must_use]
    pub fn key(&self, id: &KeyId) -> Option<&SecretString> {
        self.keys.get(id)
    }
}

/// How much of a ring is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRingScope {
    /// The ids alone: who only names the current key has no right to read it.
    IdsOnly,
    /// The ids and the keys.
    WithKeys,
}

/// Where a ring comes from.
enum Source {
    Inline(Arc<Ring>),
    Secret { client: Client, id: String, contents: KeyRingScope, lifetimes: Lives },
}

/// A copy of a ring, and when it was last found wanting.
struct Copy {
    ring: Arc<Ring>,
    read_at: Timestamp,
    /// When it was last read because of an unknown key.
    missed_at: Option<Timestamp>,
    /// When it could last not be read again.
    failed_at: Option<Timestamp>,
}

/// How long a copy serves.
#[derive(Clone, Copy)]
struct Lives {
    /// How old it may be.
    copy: Duration,
    /// How long it is not read again after it was read in vain.
    pause: Duration,
}

impl Lives {
    fn of(copy: Duration) -> Self {
        Self { copy, pause: LONGEST_PAUSE.min(copy) }
    }
}

impl Copy {
    /// Whether the copy need not be read again, as far as its age goes. While the secret cannot be
    /// read, that is tried after a pause.
    fn is_fresh(&self, now: Timestamp, lifetimes: Lives) -> bool {
        now.since(self.read_at) < lifetimes.copy || self.failed_lately(now, lifetimes)
    }

    /// Whether the copy knows a key, or was read for want of one a moment ago.
    fn answers_for(&self, id: &KeyId, now: Timestamp, lifetimes: Lives) -> bool {
        self.knows(id) || self.missed_at.is_some_and(|at| now.since(at) < lifetimes.pause)
    }

    fn knows(&self, id: &KeyId) -> bool {
        self.ring.keys.contains_key(id)
    }

    fn failed_lately(&self, now: Timestamp, lifetimes: Lives) -> bool {
        self.failed_at.is_some_and(|at| now.since(at) < lifetimes.pause)
    }
}

/// A ring, of which a copy is kept for a while.
pub struct KeyRing {
    source: Source,
    clock: Arc<dyn Clock>,
    copy: Mutex<Option<Copy>>,
}

#[derive(Deserialize)]
struct InlineKey {
    key: SecretString,
    stage: String,
}

#[derive(Deserialize)]
struct SecretValue {
    key: SecretString,
}

/// The id of the key with this version id.
pub(super) fn key_id(version_id: &str) -> KeyId {
    let digest = ring::digest::digest(&ring::digest::SHA256, version_id.as_bytes());
    KeyId::new(&hex(digest.as_ref().get(..4).unwrap_or_default()))
}

/// A version of a secret: its id, whether it is the current one, and its key where it was read.
type Version = (String, bool, Option<SecretString>);

fn ring_of(versions: Vec<Version>) -> Result<Ring, PortError> {
    let current = versions.iter().find(|(_, current, _)| *current).map(|(id, ..)| key_id(id));
    let current =
        current.ok_or_else(|| PortError::new("read a key ring", "it has no current key"))?;
    let keys = versions.into_iter().filter_map(|(id, _, key)| Some((key_id(&id), key?))).collect();
    Ok(Ring { current, keys })
}

impl KeyRing {
    /// The ring of the secret `id` (a name or an ARN), of which a copy is kept for `lifetime`.
    #[must_use]
    pub fn of_secret(
        aws: &Aws,
        id: &str,
        contents: KeyRingScope,
        lifetime: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let client = client!(aws_sdk_secretsmanager, aws, "SECRETS_MANAGER", Pace::Repeat);
        let lifetimes = Lives::of(lifetime);
        let source = Source::Secret { client, id: id.to_owned(), contents, lifetimes };
        Self { source, clock, copy: Mutex::new(None) }
    }

    /// The ring written out in `json`, for tools that have no Secrets Manager:
    /// `{"<version id>":{"key":"…","stage":"AWSCURRENT"}}`.
    ///
    /// # Errors
    /// `json` is not that, or names no current key.
    pub fn inline(json: &str, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        let keys: BTreeMap<String, InlineKey> = serde_json::from_str(json)
            .map_err(|error| PortError::new("read an inline key ring", error))?;
        let versions =
            keys.into_iter().map(|(id, inline)| (id, inline.stage == CURRENT, Some(inline.key)));
        let ring = ring_of(versions.collect())?;
        Ok(Self { source: Source::Inline(Arc::new(ring)), clock, copy: Mutex::new(None) })
    }

    /// The ring, at most as old as a copy may be; older only while it cannot be read.
    ///
    /// # Errors
    /// It was never read, and cannot be read now.
    pub async fn ring(&self) -> Result<Arc<Ring>, PortError> {
        self.read_unless(None).await
    }

    /// The ring that knows the key `id`, as far as there is one: a ring that does not is read
    /// again, at most once a minute.
    ///
    /// # Errors
    /// It was never read, or does not know the key, and cannot be read now. So nobody is told that
    /// a key does not exist by somebody who could not look.
    pub async fn ring_knowing(&self, id: &KeyId) -> Result<Arc<Ring>, PortError> {
        self.read_unless(Some(id)).await
    }

    /// The copy if it is good enough, else a new one, else the old one.
    async fn read_unless(&self, wanted: Option<&KeyId>) -> Result<Arc<Ring>, PortError> {
        let (client, id, contents, lifetimes) = match &self.source {
            Source::Inline(ring) => return Ok(Arc::clone(ring)),
            Source::Secret { client, id, contents, lifetimes } => {
                (client, id, *contents, *lifetimes)
            }
        };
        let now = self.clock.now();
        let mut copy = self.copy.lock().await;
        let good = |copy: &Copy| {
            copy.is_fresh(now, lifetimes)
                && wanted.is_none_or(|wanted| copy.answers_for(wanted, now, lifetimes))
        };
        let serves = |copy: &Copy| wanted.is_none_or(|wanted| copy.knows(wanted));
        if let Some(copy) = copy.as_ref().filter(|copy| good(copy)) {
            if !serves(copy) && copy.failed_lately(now, lifetimes) {
                let cause = "its secret could not be read a moment ago";
                return Err(PortError::new("look for a key", cause));
            }
            return Ok(Arc::clone(&copy.ring));
        }
        match (read(client, id, contents).await, copy.as_mut()) {
            (Ok(ring), _) => {
                let ring = Arc::new(ring);
                let missed_at = wanted.map(|_| now);
                let read = Arc::clone(&ring);
                *copy = Some(Copy { ring: read, read_at: now, missed_at, failed_at: None });
                Ok(ring)
            }
            (Err(error), Some(copy)) => {
                copy.failed_at = Some(now);
                copy.missed_at = wanted.map(|_| now).or(copy.missed_at);
                if !serves(copy) {
                    return Err(error);
                }
                let error = chain(&error);
                tracing::warn!(error, "a key ring cannot be read again; the old copy serves");
                Ok(Arc::clone(&copy.ring))
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// Reads the ring: first which versions there are, then, if wanted, each key. Only the current one
/// has to be readable: a rotation that has begun has a version without a value.
async fn read(client: &Client, id: &str, contents: KeyRingScope) -> Result<Ring, PortError> {
    let described = client.describe_secret().secret_id(id).send().await;
    let described = described.map_err(|error| failed("describe a secret", &error))?;
    let stages = described.version_ids_to_stages.unwrap_or_default();
    let in_ring = stages.into_iter().filter_map(|(version, stages)| {
        let listed = stages.iter().any(|stage| STAGES.contains(&stage.as_str()));
        listed.then(|| (version, stages.iter().any(|stage| stage == CURRENT)))
    });
    let versions = in_ring.map(async |(version, current)| match contents {
        KeyRingScope::IdsOnly => Ok(Some((version, current, None))),
        KeyRingScope::WithKeys => match read_key(client, id, &version).await {
            Ok(key) => Ok(Some((version, current, Some(key)))),
            Err(error) if current => Err(error),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "a key that is not the current one cannot be read");
                Ok(None)
            }
        },
    });
    ring_of(try_join_all(versions).await?.into_iter().flatten().collect())
}

async fn read_key(client: &Client, id: &str, version: &str) -> Result<SecretString, PortError> {
    let call = client.get_secret_value().secret_id(id).version_id(version).send();
    let value = call.await.map_err(|error| failed("read a secret", &error))?;
    // The parser's message could repeat a piece of the secret; it is not passed on.
    serde_json::from_str(value.secret_string().unwrap_or_default())
        .map(|SecretValue { key }| key)
        .map_err(|_| PortError::new("read a secret", "its value is not {\"key\":\"…\"}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemClock;
    use secrecy::ExposeSecret as _;

    #[tokio::test]
    async fn an_inline_ring_has_a_current_key_and_others() {
        let json = r#"{"v1":{"key":"old","stage":"AWSPREVIOUS"},
                       "v2":{"key":"new","stage":"AWSCURRENT"}}"#;
        let ring = KeyRing::inline(json, Arc::new(SystemClock)).unwrap().ring().await.unwrap();
        assert_eq!(ring.current(), &key_id("v2"));
        assert_eq!(ring.key(&key_id("v1")).unwrap().expose_secret(), "old");
        // sha256("v2") starts with this.
        assert_eq!(ring.current().as_str(), "fb04dcb6");
        assert!(!format!("{ring:?}").contains("new"));
    }

    #[test]
    fn a_copy_is_not_read_again_before_it_is_old_or_lacks_a_key() {
        let at = Timestamp::from_seconds;
        let keys = HashMap::from([(KeyId::new("a"), SecretString::from("key"))]);
        let ring = Arc::new(Ring { current: KeyId::new("a"), keys });
        let copy = |missed_at, failed_at| Copy {
            ring: Arc::clone(&ring),
            read_at: at(1000),
            missed_at,
            failed_at,
        };
        let five_minutes = Lives::of(Duration::from_mins(5));
        let fresh = copy(None, None);
        assert!(fresh.is_fresh(at(1299), five_minutes) && !fresh.is_fresh(at(1300), five_minutes));
        assert!(fresh.answers_for(&KeyId::new("a"), at(1001), five_minutes));
        assert!(!fresh.answers_for(&KeyId::new("b"), at(1001), five_minutes));
        let missed = copy(Some(at(1000)), None);
        assert!(missed.answers_for(&KeyId::new("b"), at(1059), five_minutes));
        assert!(!missed.answers_for(&KeyId::new("b"), at(1060), five_minutes));
        let failed = copy(None, Some(at(1300)));
        assert!(
            failed.is_fresh(at(1359), five_minutes) && !failed.is_fresh(at(1360), five_minutes)
        );
        // No pause is longer than a copy's lifetime.
        let second = Lives::of(Duration::from_secs(1));
        assert!(!missed.answers_for(&KeyId::new("b"), at(1001), second));
        assert!(!failed.is_fresh(at(1301), second));
    }

    #[test]
    fn a_ring_without_a_current_key_is_refused() {
        let json = r#"{"v1":{"key":"old","stage":"AWSPREVIOUS"}}"#;
        assert!(KeyRing::inline(json, Arc::new(SystemClock)).is_err());
        assert!(KeyRing::inline("", Arc::new(SystemClock)).is_err());
    }
}
