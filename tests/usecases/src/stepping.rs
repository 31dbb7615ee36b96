//! Calls that wait until the test lets them go on, so that a test can try every order of the calls of
//! several processes, and end a process before each of them.

use async_trait::async_trait;
use latchkey::domain::outbox::OutboxEntry;
use latchkey::domain::time::Timestamp;
use latchkey::ports::{
    DuePlace, Message, Messages, Outbox, ParkedEntry, PauseChange, PortError, SendOutcome,
    WaitingEntries,
};
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore};

/// The gate before the calls of one process.
#[derive(Debug)]
pub struct Steps {
    permits: Semaphore,
    waits: Notify,
}

impl Steps {
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { permits: Semaphore::new(0), waits: Notify::new() })
    }

    /// Waits before a call.
    async fn gate(&self) {
        self.waits.notify_one();
        self.permits.acquire().await.expect("an open gate").forget();
    }

    /// Lets one call go on.
    pub fn go_on(&self) {
        self.permits.add_permits(1);
    }

    /// Waits until the process waits before a call.
    pub async fn waiting(&self) {
        self.waits.notified().await;
    }
}

/// A port whose calls wait at a gate.
pub(crate) struct Stepped<T> {
    pub(crate) inner: Arc<T>,
    pub(crate) steps: Arc<Steps>,
}

#[async_trait]
impl<T: Outbox> Outbox for Stepped<T> {
    async fn find(&self, ids: &[String]) -> Result<WaitingEntries, PortError> {
        self.steps.gate().await;
        self.inner.find(ids).await
    }

    async fn due(&self, place: DuePlace, before: Timestamp) -> Result<WaitingEntries, PortError> {
        self.steps.gate().await;
        self.inner.due(place, before).await
    }

    async fn claim(
        &self,
        entry: &OutboxEntry,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        self.steps.gate().await;
        self.inner.claim(entry, until, now).await
    }

    async fn defer(
        &self,
        entry: &OutboxEntry,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        self.steps.gate().await;
        self.inner.defer(entry, due_at, now).await
    }

    async fn delete(&self, id: &str) -> Result<(), PortError> {
        self.steps.gate().await;
        self.inner.delete(id).await
    }

    async fn postpone(&self, entry: &OutboxEntry, error: &str) -> Result<(), PortError> {
        self.steps.gate().await;
        self.inner.postpone(entry, error).await
    }

    async fn park(&self, entry: &OutboxEntry, error: &str, at: Timestamp) -> Result<(), PortError> {
        self.steps.gate().await;
        self.inner.park(entry, error, at).await
    }

    async fn parked(&self) -> Result<Vec<ParkedEntry>, PortError> {
        self.inner.parked().await
    }

    async fn release(&self, id: &str, at: Timestamp) -> Result<bool, PortError> {
        self.inner.release(id, at).await
    }

    async fn change_pause(&self, change: &PauseChange) -> Result<Option<Timestamp>, PortError> {
        self.steps.gate().await;
        self.inner.change_pause(change).await
    }

    async fn drop_parked(&self, id: &str) -> Result<bool, PortError> {
        self.inner.drop_parked(id).await
    }
}

#[async_trait]
impl<T: Messages> Messages for Stepped<T> {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        self.steps.gate().await;
        self.inner.send(message).await
    }
}
