//! Requests with an idempotency key: who repeats one gets the same answer, and nothing happens again.
//!
//! A key belongs to a caller and an endpoint. The first request with it claims it for a moment, so
//! that a concurrent repetition is told to wait. Its transaction stores the answer with everything
//! else, so there is an answer exactly if something was committed. A request that commits nothing
//! leaves no trace of its key.

use crate::domain::challenge::KeyId;
use crate::domain::idempotency::{ANSWER_LIFETIME, IdempotencyKey};
use crate::domain::session::{FamilyId, RefreshToken, SuccessorSeed};
use crate::domain::time::Timestamp;
use crate::http::{
    KeyProblem, Piece, Request, Response, StatusCode, Successor, answer_of_text, answer_text,
    pieces,
};
use crate::ports::{
    AccessTokens, AnswerClaim, AnswerKey, AnswerKeys, Answers, ClaimOutcome, Clock, Entropy,
    NewAnswer, PortError, Recorder, RefreshKeys, StoredAnswer, chain, random,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The header with the key.
const HEADER: &str = "idempotency-key";
/// How long a key is claimed by a request that is in progress. Most requests take a tenth of it. A
/// repetition after a crash waits for so long at most; if the first request is still in progress,
/// the transaction of one of them fails.
const CLAIM: Duration = Duration::from_secs(2);
/// How long a caller with too many requests claims no keys, so that a refused request costs no write.
const UNCLAIMED: Duration = Duration::from_secs(5);
/// The most callers whose refusals a process remembers.
const MOST_REMEMBERED: usize = 10_000;

/// A form in which an answer may contain a secret that is made of these bytes.
pub type SecretForm = Box<dyn Fn(&[u8; 32]) -> String + Send + Sync>;

/// Derives the successors of refresh tokens again.
pub struct Successors {
    pub keys: Arc<dyn RefreshKeys>,
    /// Returns the token that a request presents.
    pub presented: fn(&Request) -> Option<RefreshToken>,
}

/// Answers requests once.
pub struct Once {
    pub answers: Arc<dyn Answers>,
    pub keys: Arc<dyn AnswerKeys>,
    /// The tokens in the answers, to be signed again.
    pub tokens: Option<Arc<dyn AccessTokens>>,
    pub forms: Arc<[SecretForm]>,
    /// The refresh tokens in the answers, for an endpoint that exchanges them.
    pub successors: Option<Successors>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The callers that were refused a moment ago, with the ends of their refusals.
    pub refused: Mutex<HashMap<String, Timestamp>>,
}

/// A request with a key.
struct Keyed {
    idempotency_key: IdempotencyKey,
    scope: String,
    key: Box<dyn AnswerKey>,
    claim: AnswerClaim,
    nonce: [u8; 16],
    /// Whether the key is claimed.
    is_claimed: bool,
    /// Whether an answer was given to a transaction.
    is_recorded: AtomicBool,
    forms: Arc<[SecretForm]>,
}

/// What a handler needs to keep its answer. It is in the extensions of the request.
#[derive(Clone, Default)]
pub struct Ticket(Option<Arc<Keyed>>);

/// Why a request gets no answer.
pub(super) enum Unanswered {
    Key(KeyProblem),
    Internal(PortError),
}

impl From<KeyProblem> for Unanswered {
    fn from(problem: KeyProblem) -> Self {
        Self::Key(problem)
    }
}

impl From<PortError> for Unanswered {
    fn from(error: PortError) -> Self {
        Self::Internal(error)
    }
}

/// How a request begins.
pub(super) enum Begun {
    /// The handler has to answer it.
    Now(Ticket),
    /// It was answered before.
    Before(Response),
}

impl Ticket {
    /// Returns the ticket of the request. One without an idempotency key keeps nothing.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// Returns what keeps the answer that `write` writes for a result.
    pub fn recorder<'a, T>(
        &'a self,
        write: &'a (impl Fn(&T) -> Result<Response, PortError> + Send + Sync),
    ) -> Recorder<'a, T> {
        let Some(keyed) = &self.0 else { return Recorder::NONE };
        let secret = keyed.derive(&*keyed.key, "secret", &keyed.nonce);
        Recorder::new(secret, Box::new(move |result| keyed.record(&write(result)?, None)))
    }

    /// Returns what keeps such an answer, without the refresh token that `successor` returns.
    pub fn recorder_of_successor<'a, T: 'a>(
        &'a self,
        write: &'a (impl Fn(&T) -> Result<Response, PortError> + Send + Sync),
        successor: fn(&T) -> Successor,
    ) -> Recorder<'a, T> {
        let Some(keyed) = &self.0 else { return Recorder::NONE };
        let secret = keyed.derive(&*keyed.key, "secret", &keyed.nonce);
        let record = move |result: &T| keyed.record(&write(result)?, Some(&successor(result)));
        Recorder::new(secret, Box::new(record))
    }
}

impl Keyed {
    /// Derives a key or secret that this request alone has. The idempotency key, which is stored
    /// nowhere, is part of it.
    fn derive(&self, key: &dyn AnswerKey, name: &str, nonce: &[u8; 16]) -> [u8; 32] {
        let id = self.claim.id.as_bytes();
        key.mac(&[name.as_bytes(), id, self.idempotency_key.expose().as_bytes(), nonce])
    }

    fn secrets(&self, secret: &[u8; 32]) -> Vec<String> {
        self.forms.iter().map(|form| form(secret)).collect()
    }

    fn record(
        &self,
        response: &Response,
        successor: Option<&Successor>,
    ) -> Result<NewAnswer, PortError> {
        const ACTION: &str = "keep an answer";
        let secret = self.derive(&*self.key, "secret", &self.nonce);
        let text = answer_text(response, &self.secrets(&secret), successor);
        let text = text.ok_or_else(|| PortError::new(ACTION, "it is not text"))?;
        let sealed = self.key.seal(&self.derive(&*self.key, "seal", &self.nonce), &text)?;
        self.is_recorded.store(true, Ordering::Relaxed);
        Ok(NewAnswer {
            id: self.claim.id.clone(),
            answer: StoredAnswer {
                fingerprint: self.claim.fingerprint,
                key_id: self.key.id().clone(),
                nonce: self.nonce,
                sealed,
            },
            expires_at: self.claim.at.plus(ANSWER_LIFETIME),
        })
    }
}

/// The content of a request, for its fingerprint.
fn fingerprint(key: &dyn AnswerKey, id: &str, request: &Request) -> [u8; 32] {
    let query = request.uri().query().unwrap_or_default();
    key.mac(&[b"fingerprint", id.as_bytes(), query.as_bytes(), request.body()])
}

impl Once {
    /// Returns whether the request has an idempotency key.
    pub(super) fn concerns(request: &Request) -> bool {
        request.headers().contains_key(HEADER)
    }

    /// Begins a request: finds the answer that it got before, or claims its key.
    ///
    /// # Errors
    /// The problem of the key, or an internal failure.
    pub(super) async fn begin(
        &self,
        request: &Request,
        scope: String,
    ) -> Result<Begun, Unanswered> {
        let mut values = request.headers().get_all(HEADER).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        let value = value.filter(|_| values.next().is_none());
        let idempotency_key = value.and_then(|value| IdempotencyKey::parse(value.trim()));
        let idempotency_key = idempotency_key.ok_or(KeyProblem::Malformed)?;
        let key = self.keys.answer_key(None).await?;
        let endpoint = format!("{} {}", request.method(), request.uri().path());
        let id = idempotency_key.request_name(&endpoint, &scope);
        let now = self.clock.now();
        let claim = AnswerClaim {
            owner: random(&*self.entropy)?,
            fingerprint: fingerprint(&*key, &id, request),
            key_id: key.id().clone(),
            at: now,
            until: now.plus(CLAIM),
            id,
        };
        let is_claimed = !self.is_refused(&scope, now);
        let mut keyed = Keyed {
            idempotency_key,
            scope,
            key,
            claim,
            nonce: random(&*self.entropy)?,
            is_claimed,
            is_recorded: AtomicBool::new(false),
            forms: Arc::clone(&self.forms),
        };
        let outcome = if is_claimed {
            self.answers.claim(&keyed.claim).await?
        } else {
            let found = self.answers.find_answer(&keyed.claim.id, now).await?;
            found.map_or(ClaimOutcome::Claimed, ClaimOutcome::Answered)
        };
        match outcome {
            ClaimOutcome::Claimed => Ok(Begun::Now(Ticket(Some(Arc::new(keyed))))),
            ClaimOutcome::Answered(answer) => {
                keyed.is_claimed = false;
                match self.repeat(&keyed, request, &answer).await? {
                    Some(response) => Ok(Begun::Before(response)),
                    None => Err(KeyProblem::Reused.into()),
                }
            }
            ClaimOutcome::InProgress { fingerprint: other, key_id, until } => {
                let key = self.keys.answer_key(Some(&key_id)).await?;
                let is_same = fingerprint(&*key, &keyed.claim.id, request) == other;
                let retry_after = until.since(now).min(CLAIM);
                let problem = KeyProblem::InProgress { retry_after };
                Err(if is_same { problem } else { KeyProblem::Reused }.into())
            }
        }
    }

    /// Ends a request. A request that failed may have been committed, by itself or by a repetition
    /// that was faster: then it gets that answer.
    pub(super) async fn finish(
        &self,
        request: &Request,
        result: Result<Response, Response>,
    ) -> Response {
        let is_refused = result.is_err();
        let response = result.unwrap_or_else(|refusal| refusal);
        let Some(keyed) = Ticket::of(request).0 else { return response };
        if !is_refused && keyed.is_recorded.load(Ordering::Relaxed) {
            return response;
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            self.note_refused(&keyed.scope);
        }
        match self.answer_meanwhile(&keyed, request, is_refused).await {
            Ok(Some(earlier)) => earlier,
            Ok(None) => response,
            // The request has its answer. The claim ends by itself.
            Err(error) => {
                tracing::warn!(error = chain(&error), "failed to end an idempotent request");
                response
            }
        }
    }

    async fn answer_meanwhile(
        &self,
        keyed: &Keyed,
        request: &Request,
        is_refused: bool,
    ) -> Result<Option<Response>, PortError> {
        if is_refused
            && let Some(answer) = self.answers.find_answer(&keyed.claim.id, keyed.claim.at).await?
            && let Some(response) = self.repeat(keyed, request, &answer).await?
        {
            return Ok(Some(response));
        }
        if keyed.is_claimed {
            self.answers.release(&keyed.claim).await?;
        }
        Ok(None)
    }

    /// Returns the response of a kept answer; `None` if it is the answer to another request.
    async fn repeat(
        &self,
        keyed: &Keyed,
        request: &Request,
        answer: &StoredAnswer,
    ) -> Result<Option<Response>, PortError> {
        const ACTION: &str = "repeat an answer";
        let StoredAnswer { fingerprint: other, key_id, nonce, sealed } = answer;
        let key = self.keys.answer_key(Some(key_id)).await?;
        if fingerprint(&*key, &keyed.claim.id, request) != *other {
            return Ok(None);
        }
        let malformed = || PortError::new(ACTION, "it is malformed");
        let text = key.open(&keyed.derive(&*key, "seal", nonce), sealed).ok_or_else(malformed)?;
        let secrets = keyed.secrets(&keyed.derive(&*key, "secret", nonce));
        let mut filled = String::new();
        for piece in pieces(&text).ok_or_else(malformed)? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Secret(form) => filled.push_str(secrets.get(form).ok_or_else(malformed)?),
                Piece::Successor { family, key } => {
                    let successor = self.successor(request, family, key).await?;
                    filled.push_str(successor.ok_or_else(malformed)?.expose());
                }
                Piece::Token(signed) => {
                    let tokens = self.tokens.as_ref().ok_or_else(malformed)?;
                    filled.push_str(&tokens.sign_again(signed).await?);
                }
            }
        }
        answer_of_text(&filled).map(Some).ok_or_else(malformed)
    }

    async fn successor(
        &self,
        request: &Request,
        family: &str,
        key: &str,
    ) -> Result<Option<RefreshToken>, PortError> {
        let Some(successors) = &self.successors else { return Ok(None) };
        let Some(token) = (successors.presented)(request) else { return Ok(None) };
        let (family, key_id) = (FamilyId::from_stored(family), KeyId::new(key));
        let seed = SuccessorSeed { family: &family, token: &token, key_id: &key_id };
        successors.keys.successor(&seed).await.map(Some)
    }

    fn is_refused(&self, scope: &str, now: Timestamp) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(scope).is_some_and(|end| *end > now)
    }

    fn note_refused(&self, scope: &str) {
        let now = self.clock.now();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_REMEMBERED {
            refused.retain(|_, end| *end > now);
        }
        if refused.len() < MOST_REMEMBERED {
            refused.insert(scope.to_owned(), now.plus(UNCLAIMED));
        }
    }
}
