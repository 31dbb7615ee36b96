//! The core: its ports, and the rules that a contract sets.

use crate::carriers::{Carrier, EventBus};
use crate::clock::ManualClock;
use crate::contract::{CONTRACT, event_mapper};
use crate::database::{EmbeddedDatabase, table_names};
use crate::entropy::SeededEntropy;
use crate::people;
use latchkey::adapters::answer_keys::RingAnswerKeys;
use latchkey::adapters::argon2::{Argon2Passwords, Cost, Hasher};
use latchkey::adapters::aws::{Aws, AwsSettings};
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::dynamodb::{DynamoHistories, DynamoSequenceIds, DynamoStore};
use latchkey::adapters::key_ring::KeyRing;
use latchkey::adapters::refresh_keys::HmacRefreshKeys;
use latchkey::domain::attributes::Attributes;
use latchkey::domain::bill::{Bill, MicroUsd, Prices};
use latchkey::domain::challenge::{Audience, GuessLimits};
use latchkey::domain::id::IdFormat;
use latchkey::domain::password_attempts::Backoff;
use latchkey::domain::phone::DialCodes;
use latchkey::domain::realm::Realm;
use latchkey::domain::sender::{Sender, Senders};
use latchkey::domain::sends::{SendLimits, SendPolicy};
use latchkey::domain::session::RefreshLimits;
use latchkey::domain::source::Source;
use latchkey::domain::test_numbers::{TestNumber, TestNumbers};
use latchkey::domain::time::Timestamp;
use latchkey::ports::{AnswerKeys, Clock, CodeKeys, Entropy, Passwords, RefreshKeys, SequenceIds};
use latchkey::usecases::{
    Admission, Basics, Breakers, Gate, NewIds, Remembered, SessionOwner, SourceLimits, WriteHistory,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What a contract or its environment decides.
#[derive(Clone, Debug)]
pub struct Rules {
    pub sends: SendPolicy,
    pub guesses: GuessLimits,
    /// The limits of one source address.
    pub sources: SourceLimits,
    /// The sign-ups of one client in an hour.
    pub per_client_hour: u32,
    /// The ceilings of what is sent. There are none by default.
    pub bill: Bill,
    /// The pauses between password attempts.
    pub backoff: Option<Backoff>,
    pub admission: Admission,
    pub sessions: SessionOwner,
    /// The limits of sessions with refresh tokens.
    pub refreshes: RefreshLimits,
    /// The ids of users.
    pub user_ids: IdFormat,
    /// Whether the answer to a refresh carries the user.
    pub refresh_carries_user: bool,
    /// The attributes of every new user. Access tokens contain `plan`.
    pub attributes: Attributes,
    /// Who may enter with a code.
    pub audience: Audience,
    /// Whether a recipient with an account is told so when it asks to sign up.
    pub account_notice: bool,
    /// Whether clients hold handles to challenges.
    pub handles: bool,
    /// The memory of a password's hash, in KiB. The default is the least that Argon2 allows.
    pub hash_memory: u32,
}

impl Default for Rules {
    fn default() -> Self {
        let pause = Duration::from_secs(30);
        Self {
            sends: SendPolicy {
                code_lifetime: Duration::from_mins(5),
                limits: SendLimits { pause, per_hour: 3, per_day: 5 },
                countries: DialCodes::parse("+852"),
            },
            guesses: GuessLimits { per_code: 3, per_code_in_attack: 2 },
            sources: SourceLimits {
                sends_per_hour: 20,
                guesses_per_hour: 20,
                wrong_codes_per_hour: 0,
            },
            per_client_hour: 20,
            bill: Bill {
                prices: Prices::parse("+852=0.05,+62=0.35,mail=0.0001").expect("prices"),
                messages: [0, 0],
                spend: [MicroUsd(0); 2],
                total: MicroUsd(0),
                unused_per_prefix: 0,
            },
            backoff: Some(Backoff::DEFAULT),
            admission: Admission::AllUsers,
            sessions: SessionOwner::Device(IdFormat::Number),
            refreshes: RefreshLimits {
                repeat: Duration::from_mins(1),
                lifetime: Duration::from_hours(90 * 24),
            },
            user_ids: IdFormat::ObjectId,
            refresh_carries_user: true,
            attributes: people::attributes(),
            audience: Audience::Everyone,
            account_notice: true,
            handles: true,
            hash_memory: 8,
        }
    }
}

/// The use cases over one embedded database. A clone is another caller of the same core.
#[derive(Clone)]
pub struct Core {
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<SeededEntropy>,
    /// The carrier of text messages.
    pub texts: Arc<Carrier>,
    /// A second carrier of texts, which is not used unless a sender names it.
    pub other_texts: Arc<Carrier>,
    pub(crate) senders: Senders,
    pub mails: Arc<Carrier>,
    pub bus: Arc<EventBus>,
    pub(crate) database: Arc<EmbeddedDatabase>,
    pub(crate) store: Arc<DynamoStore>,
    pub(crate) ids: Arc<dyn SequenceIds>,
    pub(crate) code_keys: Arc<dyn CodeKeys>,
    pub(crate) refresh_keys: Arc<dyn RefreshKeys>,
    pub(crate) answer_keys: Arc<dyn AnswerKeys>,
    pub(crate) passwords: Arc<dyn Passwords>,
    pub(crate) rules: Rules,
    pub(crate) contract: &'static str,
    pub(crate) realm: Realm,
    pub(crate) source: Source,
    /// What the process remembers of sources.
    remembered: Arc<Remembered>,
    /// The breakers of the relay. They are off by default.
    pub(crate) breakers: Arc<Breakers>,
    /// Whether carriers report what became of messages. They do not by default.
    pub(crate) reports: bool,
    /// The keys of the histories.
    pub(crate) history_keys: Arc<KeyRing>,
    /// What the process writes into them.
    pub(crate) write_history: WriteHistory,
    /// The test numbers. There are none by default.
    pub(crate) test_numbers: TestNumbers,
}

/// The keys that codes and refresh tokens are derived with.
const KEY_RING: &str =
    r#"{"v1":{"key":"the first key of the tests, and long","stage":"AWSCURRENT"}}"#;
/// The same keys after a rotation.
const ROTATED_KEY_RING: &str = r#"{"v1":{"key":"the first key of the tests, and long","stage":"AWSPREVIOUS"},
    "v2":{"key":"the second key of the tests, long","stage":"AWSCURRENT"}}"#;
/// The keys after another rotation, without the first one.
const TWICE_ROTATED_KEY_RING: &str = r#"{"v2":{"key":"the second key of the tests, long","stage":"AWSPREVIOUS"},
    "v3":{"key":"the third key of the tests, as long","stage":"AWSCURRENT"}}"#;

/// Returns a client of the database. Its connections belong to the runtime that uses it first.
fn store(database: &EmbeddedDatabase, entropy: &Arc<SeededEntropy>) -> Arc<DynamoStore> {
    let settings = AwsSettings {
        region: "us-east-1".to_owned(),
        access_key_id: "test".to_owned(),
        secret_access_key: "test".into(),
        session_token: None,
        endpoint: Some(database.endpoint.clone()),
        service_endpoints: BTreeMap::new(),
        system_roots: false,
    };
    let entropy = Arc::clone(entropy) as Arc<dyn Entropy>;
    Arc::new(DynamoStore::new(&Aws::new(settings), table_names(), entropy).expect("random bytes"))
}

fn write_history(store: &Arc<DynamoStore>, keys: &Arc<KeyRing>) -> WriteHistory {
    let histories = DynamoHistories::new((**store).clone(), Arc::clone(keys));
    WriteHistory::new(Arc::new(histories))
}

fn ring(json: &str, clock: &Arc<ManualClock>) -> Arc<KeyRing> {
    Arc::new(KeyRing::inline("test", json, Arc::clone(clock) as _).expect("a key ring"))
}

fn passwords(rules: &Rules, entropy: &Arc<SeededEntropy>) -> Arc<dyn Passwords> {
    let cost = Cost { memory_kib: rules.hash_memory, iterations: 1, parallelism: 1 };
    let entropy = Arc::clone(entropy) as _;
    Arc::new(Argon2Passwords::new(cost, Hasher::Argon2, entropy).expect("an allowed cost"))
}

impl Default for Core {
    fn default() -> Self {
        let (clock, entropy) = (Arc::<ManualClock>::default(), Arc::<SeededEntropy>::default());
        let database = Arc::new(EmbeddedDatabase::start().expect("a database"));
        let store = store(&database, &entropy);
        let ring = ring(KEY_RING, &clock);
        let rules = Rules::default();
        Self {
            ids: Arc::new(DynamoSequenceIds::new((*store).clone())),
            code_keys: Arc::new(HmacCodeKeys::new(Arc::clone(&ring))),
            answer_keys: Arc::new(RingAnswerKeys::new(Arc::clone(&ring))),
            write_history: write_history(&store, &ring),
            history_keys: Arc::clone(&ring),
            refresh_keys: Arc::new(HmacRefreshKeys::new(ring)),
            passwords: passwords(&rules, &entropy),
            texts: Arc::default(),
            other_texts: Arc::default(),
            senders: Senders { rules: Vec::new(), default: Sender::sns(None) },
            mails: Arc::default(),
            bus: Arc::default(),
            contract: CONTRACT,
            realm: Realm::of_contract(CONTRACT),
            source: people::source(),
            remembered: Arc::default(),
            breakers: Arc::new(Breakers::new(Duration::ZERO)),
            reports: false,
            test_numbers: TestNumbers::default(),
            clock,
            entropy,
            database,
            store,
            rules,
        }
    }
}

impl Core {
    /// Returns a core with an empty database.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the same core with other rules.
    #[must_use]
    pub fn ruled(&self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut core = self.clone();
        change(&mut core.rules);
        core.remembered = Arc::default();
        core.passwords = passwords(&core.rules, &core.entropy);
        core
    }

    /// Returns the same core with these test numbers.
    #[must_use]
    pub fn with_test_numbers(&self, numbers: Vec<TestNumber>) -> Self {
        let test_numbers = TestNumbers::new(numbers, self.now()).expect("a list by the rules");
        Self { test_numbers, ..self.clone() }
    }

    fn with_keys(&self, json: &str) -> Self {
        let mut core = self.clone();
        let ring = ring(json, &core.clock);
        core.code_keys = Arc::new(HmacCodeKeys::new(Arc::clone(&ring)));
        core.write_history = write_history(&core.store, &ring);
        core.history_keys = Arc::clone(&ring);
        core.refresh_keys = Arc::new(HmacRefreshKeys::new(ring));
        core
    }

    /// Returns the same core after one rotation of its keys.
    #[must_use]
    pub fn rotated(&self) -> Self {
        self.with_keys(ROTATED_KEY_RING)
    }

    /// Returns the same core after two rotations of its keys, without the first key.
    #[must_use]
    pub fn rotated_twice(&self) -> Self {
        self.with_keys(TWICE_ROTATED_KEY_RING)
    }

    /// Returns the same core for the requests of another source.
    #[must_use]
    pub fn from(&self, source: Source) -> Self {
        Self { source, ..self.clone() }
    }

    /// Returns the same core in a process that remembers nothing.
    #[must_use]
    pub fn in_new_process(&self) -> Self {
        let mut core = self.clone();
        core.remembered = Arc::default();
        core.ids = Arc::new(DynamoSequenceIds::new((*core.store).clone()));
        core
    }

    /// Returns the same core for the users of a shop.
    #[must_use]
    pub fn in_shop(&self, shop: &str) -> Self {
        Self { realm: Realm::of_shop(CONTRACT, shop), ..self.clone() }
    }

    /// Returns the same core for another contract.
    #[must_use]
    pub fn of_contract(&self, contract: &'static str) -> Self {
        Self { contract, realm: Realm::of_contract(contract), ..self.clone() }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the same core with a clock that is ahead.
    #[must_use]
    pub fn with_clock_ahead(&self, span: Duration) -> Self {
        Self { clock: Arc::new(self.clock.ahead(span)), ..self.clone() }
    }

    /// Moves the clock forward.
    pub fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Moves the clock forward by `span` and to the next full second. What the database deletes has
    /// a time of expiry in whole seconds, which is always after the exact time.
    pub fn wait_past(&self, span: Duration) {
        self.wait(span);
        let second = self.now().as_seconds().saturating_add(1);
        self.wait(Timestamp::from_seconds(second).since(self.now()));
    }

    /// Moves the clock forward to one millisecond before the end of `span`, counted from `since`.
    pub fn wait_until_just_before(&self, since: Timestamp, span: Duration) {
        let end = since.plus(span).minus(Duration::from_millis(1));
        self.wait(end.since(self.now()));
    }

    /// Moves the clock forward by one millisecond.
    pub fn tick(&self) {
        self.wait(Duration::from_millis(1));
    }

    /// Runs `action` once in the middle of the next use case: before the random value that follows
    /// after `pass` others. The action gets the core of another caller.
    pub fn interrupt<F>(&self, pass: usize, action: impl FnOnce(Self) -> F + Send + 'static)
    where
        F: Future<Output = ()>,
    {
        let mut rival = self.clone();
        rival.store = store(&self.database, &self.entropy);
        rival.write_history = write_history(&rival.store, &rival.history_keys);
        rival.ids = Arc::new(DynamoSequenceIds::new((*rival.store).clone()));
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(action(rival));
        };
        // The thread of the test has a runtime already, so the action needs a thread of its own.
        let run = move || std::thread::spawn(run).join().expect("the interruption succeeds");
        self.entropy.interrupt(pass, Box::new(run));
    }

    /// Fails unless the action of [`Core::interrupt`] has run.
    pub fn expect_interrupted(&self) {
        assert!(self.entropy.has_interrupted(), "the use case drew too few random values");
    }

    pub(crate) fn basics(&self) -> Basics {
        Basics {
            clock: self.clock_port(),
            entropy: self.entropy_port(),
            event_mapper: event_mapper(),
            test_numbers: self.test_numbers.clone(),
        }
    }

    pub(crate) fn gate(&self) -> Gate {
        let mut limits = self.rules.sources;
        if self.source.is_client() {
            limits.sends_per_hour = self.rules.per_client_hour;
            limits.guesses_per_hour = self.rules.per_client_hour;
        }
        Gate {
            move_in: None,
            standings: Arc::clone(&self.store) as _,
            budgets: Arc::clone(&self.store) as _,
            entropy: self.entropy_port(),
            remembered: Arc::clone(&self.remembered),
            contract: self.contract,
            limits,
            history: Some(self.write_history.clone()),
        }
    }

    pub(crate) fn bill(&self) -> Arc<Bill> {
        Arc::new(self.rules.bill.clone())
    }

    pub(crate) fn new_ids(&self, format: IdFormat) -> NewIds {
        NewIds { format, sequences: Arc::clone(&self.ids), entropy: self.entropy_port() }
    }

    pub(crate) fn clock_port(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    pub(crate) fn entropy_port(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy) as _
    }
}
