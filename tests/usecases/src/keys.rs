//! Keys that are rotated, and the processes that use them.

use crate::Core;
use crate::clock::ManualClock;
use crate::entropy::SeededEntropy;
use crate::secrets::ServedSecrets;
use latchkey::adapters::aws::{Aws, AwsSettings};
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::{KeyRing, KeyRingScope, Ring, read_secret};
use latchkey::adapters::refresh_keys::HmacRefreshKeys;
use latchkey::adapters::secret_rotation::SecretRotation;
use latchkey::domain::challenge::KeyId;
use latchkey::domain::key_rotation::{KeyRotationOutcome, RotatedKey, RotationPolicy};
use latchkey::ports::{AccessTokens as _, CheckedToken, Clock as _, PortError};
use latchkey::usecases::{KeyRotationReport, RotateKeys, RotateKeysError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a key signs before its successor is published: the default of the template.
pub const INTERVAL: Duration = Duration::from_hours(90 * 24);

/// The age at which a process reads its copy of a key ring again: the value of the template.
pub const COPY_LIFETIME: Duration = Duration::from_mins(5);

/// The time from the publication of a key until it signs: two lifetimes of a copy.
pub const UNTIL_KNOWN: Duration = Duration::from_mins(10);

/// The name of the first key.
pub const KEY: &str = "TOKEN_KEY";

/// Keys in Secrets Manager. A clone is another process that rotates the same keys.
#[derive(Clone)]
pub struct Keys {
    pub clock: Arc<ManualClock>,
    pub secrets: Arc<ServedSecrets>,
    pub policy: RotationPolicy,
    entropy: Arc<SeededEntropy>,
    names: Vec<&'static str>,
    aws: Aws,
}

/// What was done with a key, and its state then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub key: String,
    pub outcome: KeyRotationOutcome,
    /// The id of the key that signs.
    pub current: KeyId,
    /// The id of the key that is published.
    pub next: Option<KeyId>,
}

/// A process with a copy of the ring of one key. It has none at first.
pub struct Process {
    ring: Arc<KeyRing>,
    tokens: JwtAccessTokens,
}

impl From<KeyRotationReport> for Turn {
    fn from(report: KeyRotationReport) -> Self {
        let KeyRotationReport { key, outcome, current, next } = report;
        Self { key, outcome, current, next }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::of(&[KEY])
    }
}

impl Keys {
    /// Returns one key, made when the clock starts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the text of a secret.
    pub async fn text(&self, name: &str) -> Result<String, PortError> {
        read_secret(&self.aws, name).await
    }

    /// Returns keys with these names, made when the clock starts.
    pub fn of(names: &[&'static str]) -> Self {
        Self::at(Arc::default(), names)
    }

    /// Returns one key whose clock is that of a core.
    pub fn beside(core: &Core) -> Self {
        Self::at(Arc::clone(&core.clock), &[KEY])
    }

    fn at(clock: Arc<ManualClock>, names: &[&'static str]) -> Self {
        let secrets = Arc::new(ServedSecrets::start(Arc::clone(&clock)));
        for name in names {
            secrets.add(name, Some(r#"{"key":"the first key of the tests, and long"}"#));
        }
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: "test".into(),
            session_token: None,
            endpoint: Some(secrets.endpoint.clone()),
            service_endpoints: BTreeMap::new(),
            system_roots: false,
        };
        let policy = RotationPolicy { interval: INTERVAL, copy_lifetime: COPY_LIFETIME };
        let (names, aws) = (names.to_vec(), Aws::new(settings));
        Self { clock, secrets, policy, entropy: Arc::default(), names, aws }
    }

    /// Returns these keys and one more, whose secret the test adds or leaves out.
    #[must_use]
    pub fn and(&self, name: &'static str) -> Self {
        let mut keys = self.clone();
        keys.names.push(name);
        keys
    }

    /// Moves the clock forward.
    pub fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Moves the clock forward to one millisecond before the end of `span`.
    pub fn wait_until_just_before(&self, span: Duration) {
        let end = self.clock.now().plus(span).minus(Duration::from_millis(1));
        self.wait(end.since(self.clock.now()));
    }

    /// Moves the clock forward by one millisecond.
    pub fn tick(&self) {
        self.wait(Duration::from_millis(1));
    }

    fn rotator(&self) -> RotateKeys {
        let key = |name: &&str| RotatedKey { name: (*name).to_owned(), secret: (*name).to_owned() };
        RotateKeys {
            rotation: Arc::new(SecretRotation::new(&self.aws)),
            keys: self.names.iter().map(key).collect(),
            policy: self.policy,
            clock: Arc::clone(&self.clock) as _,
            entropy: Arc::clone(&self.entropy) as _,
        }
    }

    /// Takes the steps that are due.
    pub async fn try_rotate(&self) -> Result<Vec<Turn>, RotateKeysError> {
        Ok(self.rotator().run().await?.into_iter().map(Turn::from).collect())
    }

    /// Replaces keys at once.
    pub async fn try_replace(&self, names: &[&str]) -> Result<Vec<Turn>, RotateKeysError> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(self.rotator().at_once(&names).await?.into_iter().map(Turn::from).collect())
    }

    /// Takes the step that is due for the only key.
    pub async fn rotate(&self) -> Turn {
        only(self.try_rotate().await)
    }

    /// Replaces the only key at once.
    pub async fn replace(&self) -> Turn {
        only(self.try_replace(&self.names).await)
    }

    /// Runs two actions that each take a step with every key. Neither changes a key before both have
    /// read the state of every key.
    pub async fn together<A: Future, B: Future>(&self, one: A, other: B) -> (A::Output, B::Output) {
        self.secrets.await_descriptions(self.names.len().saturating_mul(2));
        futures_util::future::join(one, other).await
    }

    /// Takes the steps that are due, in a process that ends at a call.
    pub async fn rotate_until_crash(&self) {
        tokio::select! {
            done = self.try_rotate() => panic!("the process did not end: {done:?}"),
            () = self.secrets.crash() => {}
        }
    }

    /// Publishes a key and promotes it, each as soon as it is due. Returns the step after which it
    /// signs.
    pub async fn rotate_once(&self) -> Turn {
        self.wait(self.policy.interval);
        assert_eq!(self.rotate().await.outcome, KeyRotationOutcome::Published);
        self.wait(self.policy.copy_lifetime.saturating_mul(2));
        let turn = self.rotate().await;
        assert_eq!(turn.outcome, KeyRotationOutcome::Promoted);
        turn
    }

    /// Returns a new process.
    pub fn process(&self) -> Process {
        self.process_with(KeyRingScope::WithKeys)
    }

    /// Returns a new process that may not read the keys.
    pub fn process_without_keys(&self) -> Process {
        self.process_with(KeyRingScope::IdsOnly)
    }

    fn process_with(&self, scope: KeyRingScope) -> Process {
        let name = self.names.first().expect("a key");
        let clock = Arc::clone(&self.clock) as _;
        let lifetime = self.policy.copy_lifetime;
        let ring = Arc::new(KeyRing::of_secret(&self.aws, name, scope, lifetime, clock));
        Process { tokens: JwtAccessTokens::new(Arc::clone(&ring)), ring }
    }
}

fn only(turns: Result<Vec<Turn>, RotateKeysError>) -> Turn {
    let mut turns = turns.expect("a rotation").into_iter();
    match (turns.next(), turns.next()) {
        (Some(turn), None) => turn,
        turns => panic!("not one key: {turns:?}"),
    }
}

impl Process {
    /// Returns its copy of the ring.
    pub async fn ring(&self) -> Result<Arc<Ring>, PortError> {
        self.ring.ring().await
    }

    /// Returns the id of the key with which it signs.
    pub async fn signs_with(&self) -> KeyId {
        self.ring().await.expect("the ring").current().clone()
    }

    /// Returns whether its copy of the ring has this key.
    pub async fn knows(&self, id: &KeyId) -> bool {
        self.ring().await.expect("the ring").key(id).is_some()
    }

    /// Signs a token, whose only claim is `number`.
    pub async fn try_sign(&self, number: usize) -> Result<String, PortError> {
        self.tokens.signer().await?.sign(&format!(r#"{{"number":{number}}}"#))
    }

    /// Signs a token.
    pub async fn sign(&self) -> String {
        self.try_sign(0).await.expect("a token")
    }

    /// Looks at a token.
    pub async fn check(&self, token: &str) -> Result<CheckedToken, PortError> {
        self.tokens.check(token).await
    }

    /// Returns whether it accepts a token.
    pub async fn accepts(&self, token: &str) -> bool {
        matches!(self.check(token).await.expect("the ring"), CheckedToken::Genuine(_))
    }
}

impl Core {
    /// Returns the same core in a process with these keys.
    #[must_use]
    pub fn in_process(&self, process: &Process) -> Self {
        let mut core = self.clone();
        core.code_keys = Arc::new(HmacCodeKeys::new(Arc::clone(&process.ring)));
        core.refresh_keys = Arc::new(HmacRefreshKeys::new(Arc::clone(&process.ring)));
        core
    }
}
