//! The trace of a request: which source it came from, and which identifiers and which user it was
//! about. A line contains hashes of sources and identifiers, so that lines can be joined and no line
//! names a person.

use crate::adapters::key_ring::{KeyRing, Ring};
use crate::adapters::trace_hash::{date_of, trace_hash};
use crate::domain::source::SourceAddress;
use crate::domain::time::Timestamp;
use crate::ports::{TRACE_EVENTS, chain};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, Shared, select};
use std::fmt::Debug;
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How long a finished request waits for the keys of its trace, if they were never read. The start of
/// the process reads them, so this happens only after a failure.
const GRACE: Duration = Duration::from_millis(100);

/// The keys of the hashes. A function without them, because it calls no service, writes no hashes.
static KEYS: OnceLock<Arc<KeyRing>> = OnceLock::new();

/// A read of the keys. It is kept, so that the next request goes on with it.
type Read = Shared<BoxFuture<'static, Option<Arc<Ring>>>>;

/// The newest read, which may be finished.
static READ: Mutex<Option<Read>> = Mutex::new(None);

/// The keys that were read last.
static LAST_READ: Mutex<Option<Arc<Ring>>> = Mutex::new(None);

/// The facts about the current request. Lambda gives a process one request at a time.
static CURRENT: Mutex<Facts> = Mutex::new(Facts::NONE);

/// Sets the keys of the hashes in the lines of this process. A process keeps its first keys.
pub fn trace_with(keys: Arc<KeyRing>) {
    drop(KEYS.set(keys));
}

/// An identifier: its kind and its text.
type Named = (String, String);

/// The facts that the core noted about a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    identifiers: Vec<Named>,
    user: Option<String>,
}

impl Facts {
    const NONE: Self = Self { identifiers: Vec::new(), user: None };

    /// Returns the facts, and forgets them.
    pub(super) fn take() -> Self {
        mem::take(&mut locked(&CURRENT))
    }

    fn add(&mut self, noted: Noted) {
        if let Some(user) = noted.user {
            self.user = Some(user);
        }
        if let (Some(kind), Some(value)) = (noted.kind, noted.value) {
            let identifier = (kind, value);
            if !self.identifiers.contains(&identifier) {
                self.identifiers.push(identifier);
            }
        }
    }

    /// Returns the fields of the line. Without a key there are no hashes.
    pub(super) fn fields(
        self,
        source: &SourceAddress,
        ring: Option<&Ring>,
        now: Timestamp,
    ) -> TraceFields {
        let Some((id, key)) =
            ring.and_then(|ring| Some((ring.current(), ring.key(ring.current())?)))
        else {
            return TraceFields::default();
        };
        let date = date_of(now);
        let hash = |kind: &str, value: &str| trace_hash(key, &date, kind, value);
        let identifiers: Vec<_> =
            self.identifiers.iter().map(|(kind, value)| hash(kind, value)).collect();
        TraceFields {
            source: Some(hash("source", &source.to_string())),
            identifiers: (!identifiers.is_empty()).then(|| identifiers.join(",")),
            user: self.user.map(|user| hash("user", &user)),
            key: Some(id.as_str().to_owned()),
        }
    }
}

/// The fields of a line that say whom its request concerned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TraceFields {
    /// The hash of the source.
    pub(super) source: Option<String>,
    /// The hashes of the identifiers, in the order of the request, separated by commas.
    pub(super) identifiers: Option<String>,
    /// The hash of the user's id, if the user is known. The id itself would outlive an erasure.
    pub(super) user: Option<String>,
    /// The id of the key of the hashes.
    pub(super) key: Option<String>,
}

/// Runs `work`, and reads the keys at the same time. A request does not wait for keys that are read
/// again: its hashes have the key that was read last. If there is none, it waits for [`GRACE`].
pub(super) async fn with_keys<T>(work: impl Future<Output = T>) -> (T, Option<Arc<Ring>>) {
    let (work, keys) = (pin!(work), pin!(read_keys()));
    match select(work, keys).await {
        Either::Left((done, keys)) => {
            let last = locked(&LAST_READ).clone();
            if last.is_some() {
                return (done, last);
            }
            (done, tokio::time::timeout(GRACE, keys).await.ok().flatten())
        }
        Either::Right((keys, work)) => (work.await, keys),
    }
}

/// Reads the keys, or goes on with a read that an earlier request began and did not finish.
async fn read_keys() -> Option<Arc<Ring>> {
    let keys = KEYS.get()?;
    let begin = || async { ring_of(keys).await }.boxed().shared();
    let read = {
        let mut read = locked(&READ);
        read.take_if(|read| read.peek().is_some());
        read.get_or_insert_with(begin).clone()
    };
    let ring = read.await;
    if ring.is_some() {
        locked(&LAST_READ).clone_from(&ring);
    }
    ring
}

async fn ring_of(keys: &KeyRing) -> Option<Arc<Ring>> {
    let ring = keys.ring().await;
    let ring = ring.inspect_err(|error| {
        let error = chain(error);
        tracing::warn!(error, "the key of the hashes in log lines could not be read");
    });
    ring.ok()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The fields of one event of the target [`TRACE_EVENTS`].
#[derive(Default)]
struct Noted {
    kind: Option<String>,
    value: Option<String>,
    user: Option<String>,
}

impl Visit for Noted {
    fn record_str(&mut self, field: &Field, value: &str) {
        let place = match field.name() {
            "kind" => &mut self.kind,
            "value" => &mut self.value,
            "user" => &mut self.user,
            _ => return,
        };
        *place = Some(value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// The layer that collects the facts about a request.
pub(super) struct TraceLayer;

impl<S: Subscriber> Layer<S> for TraceLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TRACE_EVENTS {
            let mut noted = Noted::default();
            event.record(&mut noted);
            locked(&CURRENT).add(noted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::system::SystemClock;

    fn noted(kind: &str, value: &str) -> Noted {
        Noted { kind: Some(kind.to_owned()), value: Some(value.to_owned()), user: None }
    }

    #[tokio::test]
    async fn a_line_has_hashes_of_the_source_and_of_each_identifier() {
        let json = r#"{"v1":{"key":"a key of at least thirty-two bytes","stage":"AWSCURRENT"}}"#;
        let ring = KeyRing::inline("test", json, Arc::new(SystemClock)).unwrap();
        let ring = ring.ring().await.unwrap();
        let mut facts = Facts::default();
        for (kind, value) in [("email", "a@b.co"), ("phone", "+85291234567"), ("email", "a@b.co")] {
            facts.add(noted(kind, value));
        }
        facts.add(Noted { user: Some("u1".to_owned()), ..Noted::default() });
        let now = Timestamp::from_seconds(1_795_651_200);
        let source = SourceAddress::parse("203.0.113.9");
        let fields = facts.fields(&source, Some(&ring), now);
        let key = ring.key(ring.current()).unwrap();
        let hash = |kind, value| trace_hash(key, "2026-11-26", kind, value);
        assert_eq!(fields.source, Some(hash("source", "203.0.113.9")));
        let both = format!("{},{}", hash("email", "a@b.co"), hash("phone", "+85291234567"));
        assert_eq!(fields.identifiers, Some(both));
        assert_eq!(
            (fields.user, fields.key.as_deref()),
            (Some(hash("user", "u1")), Some("3bfc2695"))
        );
    }

    #[test]
    fn a_line_without_a_key_has_no_hash() {
        let mut facts = Facts::default();
        facts.add(noted("email", "a@b.co"));
        facts.add(Noted { user: Some("u1".to_owned()), ..Noted::default() });
        let source = SourceAddress::parse("203.0.113.9");
        let fields = facts.fields(&source, None, Timestamp::from_seconds(0));
        assert_eq!(fields, TraceFields::default());
    }
}
