//! The ports that keep answers, so that a repetition of a request gets the same one.

use super::{Entropy, PortError, random};
use crate::domain::challenge::KeyId;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// An answer to be kept. The transaction of the request writes it.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// What names the request: its endpoint, its caller and its idempotency key, hashed.
    pub id: String,
    pub answer: StoredAnswer,
    /// The time until which it is kept.
    pub expires_at: Timestamp,
}

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// A MAC of the request. A request with the same key and another content has another one.
    pub fingerprint: [u8; 32],
    /// The key of the fingerprint, of the seal and of the secret in the answer.
    pub key_id: KeyId,
    /// Random bytes that the secret and the seal are derived from.
    pub nonce: [u8; 16],
    /// The answer without its secrets, encrypted.
    pub sealed: Vec<u8>,
}

/// A request with an idempotency key that begins.
#[derive(Clone, Debug)]
pub struct AnswerClaim {
    /// The id of [`NewAnswer`].
    pub id: String,
    /// Random bytes that name the claim.
    pub owner: [u8; 16],
    /// A MAC of the request.
    pub fingerprint: [u8; 32],
    /// The key of the fingerprint.
    pub key_id: KeyId,
    pub at: Timestamp,
    /// The time until which a repetition is told that the request is in progress.
    pub until: Timestamp,
}

/// The outcome of [`Answers::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The request is the first with its key, or no earlier one is in progress or committed.
    Claimed,
    /// An earlier request with this key was answered.
    Answered(StoredAnswer),
    /// An earlier request with this key is in progress.
    InProgress { fingerprint: [u8; 32], key_id: KeyId, until: Timestamp },
}

/// The kept answers.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Notes that a request is in progress, unless another one with the same key is or was.
    async fn claim(&self, claim: &AnswerClaim) -> Result<ClaimOutcome, PortError>;

    /// Removes a claim whose request committed nothing.
    async fn release(&self, claim: &AnswerClaim) -> Result<(), PortError>;

    /// Returns the answer with this id.
    async fn find_answer(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<StoredAnswer>, PortError>;
}

/// The keys that protect kept answers.
#[async_trait]
pub trait AnswerKeys: Send + Sync {
    /// Returns the current key, or the one with this id.
    ///
    /// # Errors
    /// The key ring could not be read, or has no such key.
    async fn answer_key(&self, id: Option<&KeyId>) -> Result<Box<dyn AnswerKey>, PortError>;
}

/// A key that protects kept answers.
pub trait AnswerKey: Send + Sync {
    fn id(&self) -> &KeyId;

    /// Returns the MAC of the parts. Parts that are joined elsewhere have another one.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32];

    /// Encrypts a text with a key that is used for nothing else.
    ///
    /// # Errors
    /// The text is too long.
    fn seal(&self, key: &[u8; 32], text: &str) -> Result<Vec<u8>, PortError>;

    /// Decrypts what [`AnswerKey::seal`] returned; `None` if it was made with another key.
    fn open(&self, key: &[u8; 32], sealed: &[u8]) -> Option<String>;
}

/// Keeps the answer to one request. A use case gives it the result before it commits, and the
/// transaction stores the answer. Without an idempotency key nothing is kept.
pub struct Recorder<'a, T> {
    kept: Option<([u8; 32], Box<Record<'a, T>>)>,
}

/// What writes the answer for a result.
type Record<'a, T> = dyn Fn(&T) -> Result<NewAnswer, PortError> + Send + Sync + 'a;

impl<'a, T> Recorder<'a, T> {
    /// A recorder that keeps nothing.
    pub const NONE: Self = Self { kept: None };

    /// Returns a recorder. The secret of the answer is made of the bytes `secret`, which can be
    /// derived again.
    #[must_use]
    pub fn new(secret: [u8; 32], record: Box<Record<'a, T>>) -> Self {
        Self { kept: Some((secret, record)) }
    }

    /// Returns the bytes for the secret of the answer: derived if the answer is kept, and else random.
    ///
    /// # Errors
    /// The random source failed.
    pub fn secret(&self, entropy: &dyn Entropy) -> Result<[u8; 32], PortError> {
        self.kept.as_ref().map_or_else(|| random(entropy), |(secret, _)| Ok(*secret))
    }

    /// Returns the answer to store.
    ///
    /// # Errors
    /// The answer could not be written.
    pub fn record(&self, result: &T) -> Result<Option<NewAnswer>, PortError> {
        self.kept.as_ref().map(|(_, record)| record(result)).transpose()
    }
}
