//! One function: its queue of invocations and its instances.

use super::outcome::Outcome;
use super::process;
use crate::activity::Activity;
use crate::logs::Logs;
use crate::sync::lock;
use axum::body::Bytes;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// The largest number of instances of a function. More would wait for the processors of the
/// machine, so further invocations wait in the queue.
const MAX_INSTANCES: usize = 10;

/// The time in which an instance must ask for its first event, as in Lambda.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// The number of an instance of a function.
pub(super) type InstanceId = u64;

/// The parameters of the instances of a function.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) name: String,
    pub(crate) timeout: Duration,
    /// The variables that all instances have.
    pub(crate) environment: BTreeMap<String, String>,
    /// The `host:port` of the Runtime API.
    pub(crate) runtime_api: String,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(super) launch: Launch,
    pub(super) logs: Arc<Logs>,
    pub(super) activity: Arc<Activity>,
    pool: Mutex<Pool>,
}

#[derive(Debug)]
struct Pool {
    /// The program of new instances.
    executable: PathBuf,
    /// The number of programs before this one.
    generation: u64,
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

/// An invocation that an instance gets.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: i64,
}

#[derive(Debug)]
struct Instance {
    phase: Phase,
    /// The generation of the program that it runs.
    generation: u64,
    /// Kills the process when it is dropped.
    kill: Option<oneshot::Sender<()>>,
    /// The error that the process reported for its initialization.
    init_error: Option<Outcome>,
    /// Closes when the process has ended.
    ended: watch::Sender<()>,
}

#[derive(Debug)]
enum Phase {
    /// The instance has not asked for an event.
    Starting,
    /// The instance waits for an event.
    Idle(oneshot::Sender<Delivery>),
    /// The instance processes an event.
    Busy { request_id: String, reply: oneshot::Sender<Outcome> },
    /// The instance has answered this request and has not asked for the next event.
    Answered(String),
    /// The instance is being killed, and its answers are ignored.
    Terminating,
}

impl Function {
    pub(crate) fn new(
        launch: Launch,
        executable: PathBuf,
        logs: Arc<Logs>,
        activity: Arc<Activity>,
    ) -> Arc<Self> {
        let pool = Pool {
            executable,
            generation: 0,
            queue: VecDeque::new(),
            instances: HashMap::new(),
            last_id: 0,
            closed: false,
        };
        Arc::new(Self { launch, logs, activity, pool: Mutex::new(pool) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.launch.name
    }

    /// The variables that all instances have.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.launch.environment
    }

    /// Returns the invocation that an instance processes, or has answered last.
    pub(crate) fn invocation_of(&self, id: InstanceId) -> Option<String> {
        match &lock(&self.pool).instances.get(&id)?.phase {
            Phase::Busy { request_id, .. } | Phase::Answered(request_id) => {
                Some(request_id.clone())
            }
            Phase::Starting | Phase::Idle(_) | Phase::Terminating => None,
        }
    }

    /// Invokes the function with a request of this id and waits for the outcome.
    pub(crate) async fn invoke(self: &Arc<Self>, request_id: &str, payload: Bytes) -> Outcome {
        let (reply, outcome) = oneshot::channel();
        {
            let mut pool = lock(&self.pool);
            if pool.closed {
                return Outcome::stopping();
            }
            pool.queue.push_back(Job { request_id: request_id.to_owned(), payload, reply });
            self.dispatch(&mut pool);
        }
        let outcome = outcome.await.unwrap_or_else(|_| Outcome::stopping());
        self.activity.invocation_ends(request_id, &outcome);
        if let Some(error) = outcome.error()
            && !outcome.is_restart()
        {
            self.logs.stack(&format!("{} failed: {error}", self.name()));
        }
        outcome
    }

    /// Gives waiting invocations to idle instances, and starts instances for the others.
    fn dispatch(self: &Arc<Self>, pool: &mut Pool) {
        if pool.closed {
            return;
        }
        loop {
            let idle = pool.instances.iter().find(|(_, i)| matches!(i.phase, Phase::Idle(_)));
            let Some(id) = idle.map(|(id, _)| *id) else { break };
            let Some(job) = pool.queue.pop_front() else { return };
            let Some(instance) = pool.instances.get_mut(&id) else { continue };
            if let Phase::Idle(waiting) = std::mem::replace(&mut instance.phase, Phase::Terminating)
            {
                let (delivery, busy) = self.begin(id, job, false);
                // If the instance has closed its connection, its process is ending, and its end
                // makes this invocation fail, as in Lambda.
                drop(waiting.send(delivery));
                instance.phase = busy;
            }
        }
        let ready_soon = pool
            .instances
            .values()
            .filter(|i| i.generation == pool.generation)
            .filter(|i| matches!(i.phase, Phase::Starting | Phase::Answered(_)))
            .count();
        for _ in ready_soon..pool.queue.len() {
            if pool.instances.len() >= MAX_INSTANCES {
                break;
            }
            self.start(pool);
        }
    }

    /// Begins an invocation and its timeout. Returns the delivery for the instance and its new
    /// phase.
    fn begin(self: &Arc<Self>, id: InstanceId, job: Job, is_cold: bool) -> (Delivery, Phase) {
        let Job { request_id, payload, reply } = job;
        self.activity.invocation_begins(&request_id, self.name(), is_cold);
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
            deadline_ms: self.activity.clock.millis().saturating_add(timeout_ms),
        };
        (delivery, Phase::Busy { request_id, reply })
    }

    fn start(self: &Arc<Self>, pool: &mut Pool) {
        pool.last_id = pool.last_id.saturating_add(1);
        let id = pool.last_id;
        let (kill, killed) = oneshot::channel();
        let (ended, _) = watch::channel(());
        let instance = Instance {
            phase: Phase::Starting,
            generation: pool.generation,
            kill: Some(kill),
            init_error: None,
            ended,
        };
        pool.instances.insert(id, instance);
        let (function, executable) = (Arc::clone(self), pool.executable.clone());
        tokio::spawn(async move {
            let description = process::run(&function, &executable, id, killed).await;
            function.process_ended(id, &description);
        });
        let function = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(INIT_LIMIT).await;
            function.expire_init(id);
        });
    }

    /// Waits for the next event of an instance. Returns `None` if the instance gets no more events.
    pub(super) async fn next(self: &Arc<Self>, id: InstanceId) -> Option<Delivery> {
        let waiting = {
            let mut pool = lock(&self.pool);
            if pool.closed {
                return None;
            }
            let generation = pool.generation;
            let instance = pool.instances.get_mut(&id);
            if let Some(old) = instance
                && old.generation != generation
            {
                old.retire();
                return None;
            }
            let job = pool.queue.pop_front();
            let instance = pool.instances.get_mut(&id);
            let ready = instance.as_ref().is_some_and(|i| {
                matches!(i.phase, Phase::Starting | Phase::Answered(_) | Phase::Idle(_))
            });
            match (instance, job) {
                (Some(instance), Some(job)) if ready => {
                    let is_cold = matches!(instance.phase, Phase::Starting);
                    let (delivery, busy) = self.begin(id, job, is_cold);
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

    /// Replaces the program. An instance of the old one ends when it has no invocation to answer.
    pub(crate) fn replace(self: &Arc<Self>, executable: &Path) {
        let mut pool = lock(&self.pool);
        pool.executable = executable.to_path_buf();
        pool.generation = pool.generation.saturating_add(1);
        for instance in pool.instances.values_mut() {
            match instance.phase {
                Phase::Starting | Phase::Idle(_) => instance.retire(),
                // It ends when it asks for the next event, because it may still work.
                Phase::Busy { .. } | Phase::Answered(_) | Phase::Terminating => {}
            }
        }
        // For the invocations that waited for an instance to start.
        self.dispatch(&mut pool);
    }

    /// Takes the answer of an instance. Returns whether the invocation was still open.
    pub(super) fn answer(
        self: &Arc<Self>,
        id: InstanceId,
        request_id: &str,
        outcome: Outcome,
    ) -> bool {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.get_mut(&id) else { return false };
        match std::mem::replace(&mut instance.phase, Phase::Answered(request_id.to_owned())) {
            Phase::Busy { request_id: current, reply } if current == request_id => {
                // The caller may have gone away, but the function has done its work.
                drop(reply.send(outcome));
                true
            }
            other => {
                instance.phase = other;
                false
            }
        }
    }

    /// Takes the error of an instance that failed to initialize.
    pub(super) fn init_failed(&self, id: InstanceId, error: Outcome) {
        if let Some(instance) = lock(&self.pool).instances.get_mut(&id) {
            instance.init_error = Some(error);
        }
    }

    /// Ends an invocation at its timeout. Also kills an instance that has answered and does not ask
    /// for the next event, because invocations would wait for it.
    fn expire(&self, id: InstanceId, request_id: &str) {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.get_mut(&id) else { return };
        match std::mem::replace(&mut instance.phase, Phase::Terminating) {
            Phase::Busy { request_id: current, reply } if current == request_id => {
                instance.kill.take();
                drop(reply.send(Outcome::timed_out(request_id, self.launch.timeout)));
            }
            Phase::Answered(answered) if answered == request_id => drop(instance.kill.take()),
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

    /// Kills an instance and waits for its end.
    pub(super) async fn crash(&self, id: InstanceId) {
        let ended = {
            let mut pool = lock(&self.pool);
            let Some(instance) = pool.instances.get_mut(&id) else { return };
            instance.kill.take();
            instance.ended.subscribe()
        };
        wait_for_end(ended).await;
    }

    /// Removes an instance whose process has ended.
    fn process_ended(self: &Arc<Self>, id: InstanceId, description: &str) {
        let mut pool = lock(&self.pool);
        let Some(instance) = pool.instances.remove(&id) else { return };
        let exit = |request_id: &str| {
            Outcome::failed(
                "Runtime.ExitError",
                &format!("RequestId: {request_id} Error: {description}"),
            )
        };
        match instance.phase {
            Phase::Busy { request_id, reply } => drop(reply.send(exit(&request_id))),
            // Each failed start makes one invocation fail, so that a binary that never starts
            // answers every request with an error.
            Phase::Starting => {
                if let Some(job) = pool.queue.pop_front() {
                    let outcome = instance.init_error.unwrap_or_else(|| exit(&job.request_id));
                    drop(job.reply.send(outcome));
                }
            }
            Phase::Idle(_) | Phase::Answered(_) | Phase::Terminating => {}
        }
        self.dispatch(&mut pool);
    }

    /// Ends every instance with what it remembers, and waits for its end. Invocations that run fail. The next
    /// one starts a new instance.
    pub(super) async fn restart(&self) {
        let ends: Vec<_> = {
            let mut pool = lock(&self.pool);
            let instances = pool.instances.values_mut().map(|instance| {
                if let Phase::Busy { reply, .. } =
                    std::mem::replace(&mut instance.phase, Phase::Terminating)
                {
                    drop(reply.send(Outcome::restarted()));
                }
                instance.kill.take();
                instance.ended.subscribe()
            });
            instances.collect()
        };
        for end in ends {
            wait_for_end(end).await;
        }
    }

    /// Kills all instances and refuses the waiting invocations.
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

    /// Waits for the end of all instances.
    pub(super) async fn wait_until_empty(&self) {
        let ends: Vec<_> = lock(&self.pool)
            .instances
            .values()
            .map(|instance| instance.ended.subscribe())
            .collect();
        for end in ends {
            wait_for_end(end).await;
        }
    }
}

impl Instance {
    /// Kills the process, which has no invocation.
    fn retire(&mut self) {
        self.phase = Phase::Terminating;
        self.kill.take();
    }
}

/// Waits until the channel closes, which is when the process has ended.
async fn wait_for_end(mut ended: watch::Receiver<()>) {
    while ended.changed().await.is_ok() {}
}
