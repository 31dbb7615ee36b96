//! One function: its queue of invocations and the instances that work on them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{oneshot, watch};

use super::outcome::Outcome;
use super::process;
use crate::clock;
use crate::logs::Logs;
use crate::random;
use crate::sync::lock;

/// How many instances of one function run at once. More than this only makes them wait for the machine's cores;
/// requests beyond queue.
const MAX_INSTANCES: usize = 10;

/// How long an instance may take until it asks for its first event; Lambda allows the same.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The number of an instance among its function's.
pub(super) type InstanceId = u64;

/// How to start an instance.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    pub(crate) timeout: Duration,
    /// All variables but the ones that differ from instance to instance.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where the Runtime API listens, `host:port`.
    pub(crate) runtime_api: String,
}

/// A function, as the Lambda service sees it.
#[derive(Debug)]
pub(crate) struct Function {
    pub(super) launch: Launch,
    pub(super) logs: Arc<Logs>,
    pool: Mutex<Pool>,
}

#[derive(Debug, Default)]
struct Pool {
    queue: VecDeque<Job>,
    instances: HashMap<InstanceId, Instance>,
    last_id: InstanceId,
    closed: bool,
}

/// An invocation that waits for an instance.
#[derive(Debug)]
struct Job {
    request_id: String,
    payload: Bytes,
    reply: oneshot::Sender<Outcome>,
}

/// An invocation on its way to an instance.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: i64,
}

#[derive(Debug)]
struct Instance {
    phase: Phase,
    /// Dropped or used: the process is killed.
    kill: Option<oneshot::Sender<()>>,
    /// What the process said before it gave up its initialisation.
    init_error: Option<Outcome>,
    /// Dropped with the instance, which tells whoever watches that it is gone.
    gone: watch::Sender<()>,
}

#[derive(Debug)]
enum Phase {
    /// Has not asked for an event yet.
    Starting,
    /// Waits for an event.
    Idle(oneshot::Sender<Delivery>),
    /// Works on an event.
    Busy { request_id: String, reply: oneshot::Sender<Outcome> },
    /// Has answered this event and not asked for the next.
    Settling(String),
    /// Is being killed; nothing it still says counts.
    Condemned,
}

impl Function {
    pub(crate) fn new(launch: Launch, logs: Arc<Logs>) -> Arc<Self> {
        Arc::new(Self { launch, logs, pool: Mutex::default() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.launch.name
    }

    /// Invokes the function and waits for what becomes of it.
    pub(crate) async fn invoke(self: &Arc<Self>, payload: Bytes) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        {
            let mut pool = lock(&self.pool);
            if pool.closed {
                return Outcome::stopping();
            }
            pool.queue.push_back(Job { request_id: random::uuid(), payload, reply });
            self.dispatch(&mut pool);
        }
        let outcome = outcome.await.unwrap_or_else(|_| Outcome::stopping());
        if let Some(error) = outcome.error() {
            self.logs.stack(&format!("{} failed: {error}", self.name()));
        }
        outcome
    }

    /// Hands queued invocations to idle instances, and starts instances for the rest.
    fn dispatch(self: &Arc<Self>, pool: &mut Pool) {
        if pool.closed {
            return;
        }
        loop {
            let idle = pool.instances.iter().find(|(_, i)| matches!(i.phase, Phase::Idle(_)));
            let Some(id) = idle.map(|(id, _)| *id) else { break };
            let Some(job) = pool.queue.pop_front() else { return };
            let Some(instance) = pool.instances.get_mut(&id) else { continue };
            if let Phase::Idle(waiting) = std::mem::replace(&mut instance.phase, Phase::Condemned) {
                let (delivery, busy) = self.begin(id, job);
                // The instance hung up while it waited: its process is ending. Its end fails this
                // invocation, as Lambda does with an instance that dies at the wrong moment.
                drop(waiting.send(delivery));
                instance.phase = busy;
            }
        }
        let soon = pool
            .instances
            .values()
            .filter(|i| matches!(i.phase, Phase::Starting | Phase::Settling(_)))
            .count();
        for _ in soon..pool.queue.len() {
            if pool.instances.len() >= MAX_INSTANCES {
                break;
            }
            self.start(pool);
        }
    }

    /// Turns a job into what the instance gets and what the pool remembers, and starts its clock.
    fn begin(self: &Arc<Self>, id: InstanceId, job: Job) -> (Delivery, Phase) {
        let Job { request_id, payload, reply } = job;
        let timeout = self.launch.timeout;
        let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        let function = Arc::clone(self);
        let watched = request_id.clone();
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            function.expire(id, &watched);
        });
        let delivery = Delivery {
            request_id: request_id.clone(),
            payload,
            deadline_ms: clock::unix_millis().saturating_add(timeout_ms),
        };
        (delivery, Phase::Busy { request_id, reply })
    }

    fn start(self: &Arc<Self>, pool: &mut Pool) {
        pool.last_id = pool.last_id.saturating_add(1);
        let id = pool.last_id;
        let (kill, killed) = oneshot::channel();
        let (gone, _) = watch::channel(());
        let instance =
            Instance { phase: Phase::Starting, kill: Some(kill), init_error: None, gone };
        pool.instances.insert(id, instance);
        let function = Arc::clone(self);
        tokio::spawn(async move {
            let ending = process::run(&function, id, killed).await;
            function.ended(id, &ending);
        });
        let function = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(INIT_LIMIT).await;
            function.expire_init(id);
        });
    }

    /// An instance asks for its next event. `None`: it may not have one, its time is over.
    pub(super) async fn next(self: &Arc<Self>, id: InstanceId) -> Option<Delivery> {
        let waiting = {
            let mut pool = lock(&self.pool);
            if pool.closed {
                return None;
            }
            let job = pool.queue.pop_front();
            let instance = pool.instances.get_mut(&id);
            let ready = instance.as_ref().is_some_and(|i| {
                matches!(i.phase, Phase::Starting | Phase::Settling(_) | Phase::Idle(_))
            });
            match (instance, job) {
                (Some(instance), Some(job)) if ready => {
                    let (delivery, busy) = self.begin(id, job);
                    instance.phase = busy;
                    return Some(delivery);
                }
                (Some(instance), None) if ready => {
                    let (sender, receiver) = oneshot::channel();
                    instance.phase = Phase::Idle(sender);
                    receiver
                }
                (_, job) => {
                    if let Some(job) = job {
                        pool.queue.push_front(job);
                    }
                    return None;
                }
            }
        };
        waiting.await.ok()
    }

    /// An instance answers. `false`: nobody waits for this answer any more.
    pub(super) fn answer(
        self: &Arc<Self>,
        id: InstanceId,
        request_id: &str,
        outcome: Outcome,
    ) -> bool {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.get_mut(&id) else { return false };
        match std::mem::replace(&mut instance.phase, Phase::Settling(request_id.to_owned())) {
            Phase::Busy { request_id: current, reply } if current == request_id => {
                // Whoever asked may have gone away; the function has done its work all the same.
                drop(reply.send(outcome));
                true
            }
            other => {
                instance.phase = other;
                false
            }
        }
    }

    /// An instance gives up before its first event.
    pub(super) fn init_failed(&self, id: InstanceId, error: Outcome) {
        if let Some(instance) = lock(&self.pool).instances.get_mut(&id) {
            instance.init_error = Some(error);
        }
    }

    /// The time of an invocation is up. Also catches an instance that answered and then asks for nothing: it
    /// would hold up the queue for ever.
    fn expire(&self, id: InstanceId, request_id: &str) {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.get_mut(&id) else { return };
        match std::mem::replace(&mut instance.phase, Phase::Condemned) {
            Phase::Busy { request_id: current, reply } if current == request_id => {
                instance.kill.take();
                drop(reply.send(Outcome::timed_out(request_id, self.launch.timeout)));
            }
            Phase::Settling(answered) if answered == request_id => drop(instance.kill.take()),
            other => instance.phase = other,
        }
    }

    fn expire_init(&self, id: InstanceId) {
        let mut pool = lock(&self.pool);
        if let Some(instance) = pool.instances.get_mut(&id)
            && matches!(instance.phase, Phase::Starting)
        {
            let limit = INIT_LIMIT.as_secs();
            let message = format!("Error: Runtime did not ask for an event within {limit} seconds");
            instance.init_error = Some(Outcome::failed("Sandbox.Timedout", &message));
            instance.kill.take();
        }
    }

    /// Kills an instance in the middle of whatever it does, and waits for its end.
    pub(super) async fn crash(&self, id: InstanceId) {
        let gone = {
            let mut pool = lock(&self.pool);
            let Some(instance) = pool.instances.get_mut(&id) else { return };
            instance.kill.take();
            instance.gone.subscribe()
        };
        wait_for_end(gone).await;
    }

    /// The process of an instance is over.
    fn ended(self: &Arc<Self>, id: InstanceId, ending: &str) {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.remove(&id) else { return };
        let exit = |request_id: &str| {
            Outcome::failed(
                "Runtime.ExitError",
                &format!("RequestId: {request_id} Error: {ending}"),
            )
        };
        match instance.phase {
            Phase::Busy { request_id, reply } => drop(reply.send(exit(&request_id))),
            // One dead start costs one invocation. So a binary that cannot start answers every request with
            // an error, and nothing spins.
            Phase::Starting => {
                if let Some(job) = pool.queue.pop_front() {
                    let outcome = instance.init_error.unwrap_or_else(|| exit(&job.request_id));
                    drop(job.reply.send(outcome));
                }
            }
            Phase::Idle(_) | Phase::Settling(_) | Phase::Condemned => {}
        }
        self.dispatch(&mut pool);
    }

    /// Kills all instances and refuses what waits.
    pub(super) fn close(&self) {
        let mut pool = lock(&self.pool);
        pool.closed = true;
        for job in pool.queue.drain(..) {
            drop(job.reply.send(Outcome::stopping()));
        }
        for instance in pool.instances.values_mut() {
            instance.kill.take();
        }
    }

    /// Waits until no instance is left.
    pub(super) async fn emptied(&self) {
        let ends: Vec<_> =
            lock(&self.pool).instances.values().map(|instance| instance.gone.subscribe()).collect();
        for end in ends {
            wait_for_end(end).await;
        }
    }
}

/// Nothing is ever sent: the channel closes when the instance is gone.
async fn wait_for_end(mut gone: watch::Receiver<()>) {
    while gone.changed().await.is_ok() {}
}
