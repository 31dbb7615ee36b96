//! Key rings: the versions of one secret.
//!
//! One secret in Secrets Manager holds one key, `{"key":"…"}`. Its ring consists of the versions
//! with the stages AWSCURRENT, AWSPREVIOUS and AWSPENDING. The id of a key is the first 8 hex
//! digits of the SHA-256 of its version id. The current key signs and derives. Tokens and codes
//! contain the id of their key and are verified with it.
//!
//! The first read of a process gets the current key alone, in one call: most processes need no other.
//! The whole ring is read when something names another key, and when the copy is old.

use super::aws::{Aws, port_error};
use crate::domain::challenge::KeyId;
use crate::domain::id::hex;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, PortError, chain};
use aws_sdk_secretsmanager::Client;
use futures_util::future::try_join_all;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// The stage of the key that signs and derives.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The stage of the next key. It is known so that it can verify, and it does not sign yet.
pub(super) const PENDING: &str = "AWSPENDING";
/// The stage of the key before the current one. It still verifies what it signed.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
/// The stages of the versions in a ring.
const STAGES: [&str; 3] = [CURRENT, PREVIOUS, PENDING];
/// The length of the shortest key, in bytes: the output of the hash that it is used with (RFC 2104,
/// section 3; RFC 7518, section 3.2). A ring fails rather than sign with a key that can be guessed.
const SHORTEST_KEY: usize = 32;
/// The longest pause before a ring is read again because of an unknown key or a failure.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The keys of one secret.
#[derive(Debug)]
pub struct Ring {
    current: KeyId,
    keys: HashMap<KeyId, SecretString>,
}

impl Ring {
    /// The id of the key that signs and derives.
    #[must_use]
    pub const fn current(&self) -> &KeyId {
        &self.current
    }

    #[must_use]
    pub fn key(&self, id: &KeyId) -> Option<&SecretString> {
        self.keys.get(id)
    }

    /// The keys, in any order.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        self.keys.values()
    }
}

/// The part of a ring that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRingScope {
    /// Only the ids. A function that only needs the id of the current key has no right to read the
    /// key.
    IdsOnly,
    /// The ids and the keys.
    WithKeys,
}

/// The source of a ring.
enum Source {
    Inline(Arc<Ring>),
    Secret { client: Client, id: String, scope: KeyRingScope, lifetimes: CopyLifetimes },
}

/// A copy of a ring, with the times of the last reads.
struct RingCopy {
    ring: Arc<Ring>,
    read_at: Timestamp,
    /// The time of the last read because of an unknown key.
    missed_at: Option<Timestamp>,
    /// The time of the last failed read.
    failed_at: Option<Timestamp>,
}

/// The times that control how long a copy is used.
#[derive(Clone, Copy)]
struct CopyLifetimes {
    /// The age at which the copy is read again.
    copy: Duration,
    /// The pause after a read that failed or did not find the key.
    pause: Duration,
}

impl CopyLifetimes {
    fn of(copy: Duration) -> Self {
        Self { copy, pause: LONGEST_PAUSE.min(copy) }
    }
}

impl RingCopy {
    /// Returns whether the copy is young enough to be used. While the secret cannot be read, an old
    /// copy is used too, and the read is repeated after each pause.
    fn is_fresh(&self, now: Timestamp, lifetimes: CopyLifetimes) -> bool {
        now.since(self.read_at) < lifetimes.copy || self.failed_recently(now, lifetimes)
    }

    /// Returns whether the copy contains a key, or was read a moment ago without finding it.
    fn is_conclusive_for(&self, id: &KeyId, now: Timestamp, lifetimes: CopyLifetimes) -> bool {
        self.contains(id) || self.missed_at.is_some_and(|at| now.since(at) < lifetimes.pause)
    }

    fn contains(&self, id: &KeyId) -> bool {
        self.ring.keys.contains_key(id)
    }

    fn failed_recently(&self, now: Timestamp, lifetimes: CopyLifetimes) -> bool {
        self.failed_at.is_some_and(|at| now.since(at) < lifetimes.pause)
    }
}

/// A ring that is read from its source and copied.
pub struct KeyRing {
    source: Source,
    clock: Arc<dyn Clock>,
    copy: Mutex<Option<RingCopy>>,
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

/// Returns the id of the key with this version id.
pub(super) fn key_id(version_id: &str) -> KeyId {
    let digest = ring::digest::digest(&ring::digest::SHA256, version_id.as_bytes());
    KeyId::new(&hex(digest.as_ref().get(..4).unwrap_or_default()))
}

/// A version of a secret: its id, whether it is the current one, and its key if it was read.
type Version = (String, bool, Option<SecretString>);

/// Checks the length of a key of the ring `name`.
fn long_enough(name: &str, key: SecretString) -> Result<SecretString, PortError> {
    if key.expose_secret().len() < SHORTEST_KEY {
        let cause = format!("a key of {name} has fewer than {SHORTEST_KEY} bytes");
        return Err(PortError::new("read a key ring", cause));
    }
    Ok(key)
}

fn ring_of(versions: Vec<Version>) -> Result<Ring, PortError> {
    let current = versions.iter().find(|(_, current, _)| *current).map(|(id, ..)| key_id(id));
    let current =
        current.ok_or_else(|| PortError::new("read a key ring", "it has no current key"))?;
    let keys = versions.into_iter().filter_map(|(id, _, key)| Some((key_id(&id), key?))).collect();
    Ok(Ring { current, keys })
}

impl KeyRing {
    /// Creates the ring of the secret `id` (a name or an ARN). A copy is used for `lifetime`.
    #[must_use]
    pub fn of_secret(
        aws: &Aws,
        id: &str,
        scope: KeyRingScope,
        lifetime: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let lifetimes = CopyLifetimes::of(lifetime);
        let source = Source::Secret { client: aws.secrets(), id: id.to_owned(), scope, lifetimes };
        Self { source, clock, copy: Mutex::new(None) }
    }

    /// Parses the ring `name` from `json`, for tools without Secrets Manager: `{"<version
    /// id>":{"key":"…","stage":"AWSCURRENT"}}`.
    ///
    /// # Errors
    /// `json` is malformed, has no current key, or has a key of fewer than 32 bytes. The error names
    /// the ring and shows nothing of `json`.
    pub fn inline(name: &str, json: &str, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        // The parser's message is dropped, because it could contain a part of a key.
        let keys: BTreeMap<String, InlineKey> = serde_json::from_str(json).map_err(|_| {
            let cause = format!(r#"{name} is not {{"<version id>":{{"key":"…","stage":"…"}}}}"#);
            PortError::new("read an inline key ring", cause)
        })?;
        let versions = keys.into_iter().map(|(id, inline)| {
            Ok((id, inline.stage == CURRENT, Some(long_enough(name, inline.key)?)))
        });
        let ring = ring_of(versions.collect::<Result<_, PortError>>()?)?;
        Ok(Self { source: Source::Inline(Arc::new(ring)), clock, copy: Mutex::new(None) })
    }

    /// Returns the ring. The copy may be older than its lifetime only while the secret cannot be
    /// read.
    ///
    /// # Errors
    /// The secret was never read and cannot be read now.
    pub async fn ring(&self) -> Result<Arc<Ring>, PortError> {
        self.ring_for(None).await
    }

    /// Returns the ring, with the key `id` if it exists. If the copy does not contain the key, it
    /// is read again, at most once a minute.
    ///
    /// # Errors
    /// The copy does not contain the key and the secret cannot be read. This is an error, so that a
    /// caller does not take an unread key for a key that does not exist.
    pub async fn ring_with_key(&self, id: &KeyId) -> Result<Arc<Ring>, PortError> {
        self.ring_for(Some(id)).await
    }

    /// Returns the ring with every key, for readers of what older keys made. Reads it each time.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub async fn whole_ring(&self) -> Result<Arc<Ring>, PortError> {
        match &self.source {
            Source::Inline(ring) => Ok(Arc::clone(ring)),
            Source::Secret { client, id, scope, .. } => {
                Ok(Arc::new(read(client, id, *scope).await?))
            }
        }
    }

    /// Returns the copy if it is good enough. Otherwise it reads the secret, and falls back to the
    /// copy if that fails.
    async fn ring_for(&self, wanted: Option<&KeyId>) -> Result<Arc<Ring>, PortError> {
        let (client, id, scope, lifetimes) = match &self.source {
            Source::Inline(ring) => return Ok(Arc::clone(ring)),
            Source::Secret { client, id, scope, lifetimes } => (client, id, *scope, *lifetimes),
        };
        let now = self.clock.now();
        let mut copy = self.copy.lock().await;
        let is_usable = |copy: &RingCopy| {
            copy.is_fresh(now, lifetimes)
                && wanted.is_none_or(|wanted| copy.is_conclusive_for(wanted, now, lifetimes))
        };
        let contains_wanted = |copy: &RingCopy| wanted.is_none_or(|wanted| copy.contains(wanted));
        if let Some(copy) = copy.as_ref().filter(|copy| is_usable(copy)) {
            if !contains_wanted(copy) && copy.failed_recently(now, lifetimes) {
                let cause = "its secret could not be read a moment ago";
                return Err(PortError::new("look for a key", cause));
            }
            return Ok(Arc::clone(&copy.ring));
        }
        let read = match (copy.as_ref(), wanted, scope) {
            (None, None, KeyRingScope::WithKeys) => read_current(client, id).await,
            _ => read(client, id, scope).await,
        };
        match (read, copy.as_mut()) {
            (Ok(ring), _) => {
                let ring = Arc::new(ring);
                let missed_at = wanted.filter(|id| !ring.keys.contains_key(id)).map(|_| now);
                let read = Arc::clone(&ring);
                *copy = Some(RingCopy { ring: read, read_at: now, missed_at, failed_at: None });
                Ok(ring)
            }
            (Err(error), Some(copy)) => {
                copy.failed_at = Some(now);
                copy.missed_at = wanted.map(|_| now).or(copy.missed_at);
                if !contains_wanted(copy) {
                    return Err(error);
                }
                let error = chain(&error);
                tracing::warn!(error, "a key ring could not be read again; the old copy is used");
                Ok(Arc::clone(&copy.ring))
            }
            (Err(error), None) => Err(error),
        }
    }
}

/// Reads the versions of the secret and, unless `scope` is the ids only, the key of each. Only the
/// current key must be readable, because a rotation in progress may have created a version without
/// a value.
async fn read(client: &Client, id: &str, scope: KeyRingScope) -> Result<Ring, PortError> {
    let described = client.describe_secret().secret_id(id).send().await;
    let described = described.map_err(|error| port_error("describe a secret", &error))?;
    let stages = described.version_ids_to_stages.unwrap_or_default();
    let in_ring = stages.into_iter().filter_map(|(version, stages)| {
        let listed = stages.iter().any(|stage| STAGES.contains(&stage.as_str()));
        listed.then(|| (version, stages.iter().any(|stage| stage == CURRENT)))
    });
    let versions = in_ring.map(async |(version, current)| match scope {
        KeyRingScope::IdsOnly => Ok(Some((version, current, None))),
        KeyRingScope::WithKeys => match read_key(client, id, Some(&version)).await {
            Ok((_, key)) => Ok(Some((version, current, Some(key)))),
            Err(error) if current => Err(error),
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "a key that is not the current one could not be read");
                Ok(None)
            }
        },
    });
    ring_of(try_join_all(versions).await?.into_iter().flatten().collect())
}

/// Reads the current version of the secret alone.
async fn read_current(client: &Client, id: &str) -> Result<Ring, PortError> {
    let (version, key) = read_key(client, id, None).await?;
    ring_of(vec![(version, true, Some(key))])
}

/// Reads the text of a secret (a name or an ARN).
///
/// # Errors
/// Secrets Manager could not be reached or does not give it.
pub async fn read_secret(aws: &Aws, id: &str) -> Result<String, PortError> {
    let call = aws.secrets().get_secret_value().secret_id(id).send();
    let value = call.await.map_err(|error| port_error("read a secret", &error))?;
    Ok(value.secret_string.unwrap_or_default())
}

/// Reads the id and the key of a version of a secret; without `version`, of the current one.
async fn read_key(
    client: &Client,
    id: &str,
    version: Option<&str>,
) -> Result<(String, SecretString), PortError> {
    let call = client.get_secret_value().secret_id(id).set_version_id(version.map(str::to_owned));
    let value = call.send().await.map_err(|error| port_error("read a secret", &error))?;
    // The parser's message is dropped, because it could contain a part of the secret.
    let key = serde_json::from_str(value.secret_string().unwrap_or_default())
        .map(|SecretValue { key }| key)
        .map_err(|_| {
            let cause = format!(r#"the value of {id} is not {{"key":"…"}}"#);
            PortError::new("read a secret", cause)
        })?;
    let key = long_enough(id, key)?;
    let version = value.version_id;
    let version = version.ok_or_else(|| PortError::new("read a secret", "it has no version id"))?;
    Ok((version, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemClock;

    fn inline(json: &str) -> Result<KeyRing, PortError> {
        KeyRing::inline("OTP_KEY_RING", json, Arc::new(SystemClock))
    }

    #[tokio::test]
    async fn a_ring_in_json_has_a_current_key_and_others() {
        let json = r#"{"v1":{"key":"an old key of thirty-two bytes..","stage":"AWSPREVIOUS"},
                       "v2":{"key":"a new key of thirty-two bytes...","stage":"AWSCURRENT"}}"#;
        let ring = inline(json).unwrap().ring().await.unwrap();
        assert_eq!(ring.current(), &key_id("v2"));
        let old = ring.key(&key_id("v1")).unwrap().expose_secret();
        assert_eq!(old, "an old key of thirty-two bytes..");
        // The start of the SHA-256 of "v2".
        assert_eq!(ring.current().as_str(), "fb04dcb6");
        assert!(!format!("{ring:?}").contains("thirty-two"));
    }

    /// The error of a ring that is refused, with its causes.
    fn refusal(json: &str) -> String {
        chain(&inline(json).err().expect("a refusal"))
    }

    #[test]
    fn a_key_of_fewer_than_32_bytes_is_refused_and_not_shown() {
        for key in ["", "hunter2", "a key of thirty-one bytes (31).", "fünfzehn äöü ß"] {
            for stage in ["AWSCURRENT", "AWSPREVIOUS"] {
                let keys = serde_json::json!({"v1": {"key": key, "stage": stage},
                    "v2": {"key": "k".repeat(32), "stage": "AWSCURRENT"}});
                let text = refusal(&keys.to_string());
                assert!(text.contains("a key of OTP_KEY_RING has fewer than 32 bytes"), "{text}");
                assert!(key.is_empty() || !text.contains(key), "{text}");
            }
        }
        // The length counts in bytes.
        let keys = serde_json::json!({"v1": {"key": "ü".repeat(16), "stage": "AWSCURRENT"}});
        assert!(inline(&keys.to_string()).is_ok());
    }

    #[test]
    fn a_malformed_ring_is_named_and_not_shown() {
        for json in [
            r#""hunter2-my-secret-key""#,
            r#"{"v1":"hunter2-my-secret-key"}"#,
            r#"{"v1":{"key":"hunter2-my-secret-key","stage":5}}"#,
            r#"{"v1":{"hunter2-my-secret-key":"key"}}"#,
            "hunter2-my-secret-key",
        ] {
            let text = refusal(json);
            assert!(text.contains("OTP_KEY_RING") && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_copy_is_read_again_when_it_is_old_or_lacks_a_key() {
        let at = Timestamp::from_seconds;
        let keys = HashMap::from([(KeyId::new("a"), SecretString::from("key"))]);
        let ring = Arc::new(Ring { current: KeyId::new("a"), keys });
        let copy = |missed_at, failed_at| RingCopy {
            ring: Arc::clone(&ring),
            read_at: at(1000),
            missed_at,
            failed_at,
        };
        let five_minutes = CopyLifetimes::of(Duration::from_mins(5));
        let fresh = copy(None, None);
        assert!(fresh.is_fresh(at(1299), five_minutes) && !fresh.is_fresh(at(1300), five_minutes));
        assert!(fresh.is_conclusive_for(&KeyId::new("a"), at(1001), five_minutes));
        assert!(!fresh.is_conclusive_for(&KeyId::new("b"), at(1001), five_minutes));
        let missed = copy(Some(at(1000)), None);
        assert!(missed.is_conclusive_for(&KeyId::new("b"), at(1059), five_minutes));
        assert!(!missed.is_conclusive_for(&KeyId::new("b"), at(1060), five_minutes));
        let failed = copy(None, Some(at(1300)));
        assert!(
            failed.is_fresh(at(1359), five_minutes) && !failed.is_fresh(at(1360), five_minutes)
        );
        // The pause is never longer than the lifetime of a copy.
        let second = CopyLifetimes::of(Duration::from_secs(1));
        assert!(!missed.is_conclusive_for(&KeyId::new("b"), at(1001), second));
        assert!(!failed.is_fresh(at(1301), second));
    }

    #[test]
    fn a_ring_without_a_current_key_is_refused() {
        let json = r#"{"v1":{"key":"an old key of thirty-two bytes..","stage":"AWSPREVIOUS"}}"#;
        assert!(refusal(json).contains("it has no current key"));
        assert!(inline("").is_err());
    }
}
