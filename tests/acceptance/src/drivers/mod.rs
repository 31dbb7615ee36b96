//! One driver for each contract: its answers to the questions that the tests of what always holds ask of every contract.

mod goodcity;
mod gotu;
mod posbytz;
mod urbanfits;

use crate::{Call, Reply, TestStack, code_in, say};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use latchkey::contracts::{CONTRACTS, Route};
use serde_json::Value;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;

/// Makes the driver of a contract for a stack.
type Connect =
    for<'a> fn(&'a TestStack) -> Pin<Box<dyn Future<Output = Box<dyn Driver + 'a>> + Send + 'a>>;

/// The drivers, in the order of the contracts. A contract without a driver does not compile.
const DRIVERS: [(&str, Connect); CONTRACTS.len()] = [
    ("gotu", |stack| Box::pin(async move { gotu::connect(stack) })),
    ("goodcity", |stack| Box::pin(async move { goodcity::connect(stack) })),
    ("urbanfits", |stack| Box::pin(async move { urbanfits::connect(stack) })),
    ("posbytz", |stack| Box::pin(posbytz::connect(stack))),
];

const _: () = {
    let mut number = 0;
    while number < CONTRACTS.len() {
        assert!(
            is_same(CONTRACTS[number].profile.name, DRIVERS[number].0),
            "a driver has another name"
        );
        number = number.saturating_add(1);
    }
};

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at = at.saturating_add(1);
    }
    at == one.len() && at == other.len()
}

/// The names of the contracts.
#[must_use]
pub fn names() -> [&'static str; CONTRACTS.len()] {
    DRIVERS.map(|(name, _)| name)
}

/// The drivers of every contract for a stack.
pub async fn drivers(stack: &TestStack) -> Vec<Box<dyn Driver + '_>> {
    let mut drivers = Vec::new();
    for (_, connect) in DRIVERS {
        drivers.push(connect(stack).await);
    }
    drivers
}

/// Runs a check with the driver of each contract, one after the other. A failure names the contract.
pub async fn for_every_contract(stack: &TestStack, check: impl AsyncFn(&dyn Driver)) {
    for driver in drivers(stack).await {
        let checked = AssertUnwindSafe(check(driver.as_ref())).catch_unwind().await;
        if let Err(panic) = checked {
            say(&format!("the check failed with the contract {}", driver.facts().name));
            resume_unwind(panic);
        }
    }
}

/// An AWS call: the operation and the tables.
pub type AwsCall = (&'static str, &'static [&'static str]);

/// What is always the same with a contract.
pub struct Facts {
    pub name: &'static str,
    /// The function that sends a code for a sign-up.
    pub asks: &'static str,
    /// The function that completes the sign-up with the code.
    pub enters: &'static str,
    /// The function of [`Driver::probe`].
    pub probes: &'static str,
    /// The AWS calls of the two functions, once their processes are warm.
    pub calls_to_ask: &'static [AwsCall],
    pub calls_to_enter: &'static [AwsCall],
    /// The tables that hold an account, each with the number of its items.
    pub account: &'static [(&'static str, usize)],
    /// The detail types of the events of a complete sign-up, sorted.
    pub events: &'static [&'static str],
    /// The body of the answer to a fault.
    pub internal_error: &'static str,
}

/// A user that no other test of the process uses.
#[derive(Clone, Debug)]
pub struct Person {
    /// The phone number or the address that the code goes to.
    pub recipient: String,
    /// The username, in a contract whose users have one.
    pub username: Option<String>,
}

/// What a journey through a contract leaves behind.
#[derive(Default)]
pub struct Traces {
    /// What no table and no log line may hold.
    pub secrets: Vec<String>,
    /// The codes. A code is short enough to be a part of another number, so none may be a value of its own.
    pub codes: Vec<String>,
    /// The names, addresses, numbers and handles that no log line may hold.
    pub names: Vec<String>,
}

/// What happens at the first proof of a recipient that a stranger has used before.
pub struct FirstProof {
    /// What the stranger tries after the proof: a name and the answer. All of it must be refused.
    pub stranger: Vec<(&'static str, Reply)>,
    /// How the owner of the recipient enters after it.
    pub owner: Reply,
}

/// The part of a request that is mangled.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    Body,
    Query,
    Header(&'static str),
}

/// Whether a mangled request may still be one that the endpoint accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Refused,
    AcceptedOrRefused,
}

/// A request of which one part is mangled.
#[derive(Clone, Debug)]
pub struct Sample {
    pub headers: Vec<(&'static str, String)>,
    pub target: Target,
    pub text: String,
    pub outcome: Outcome,
}

impl Sample {
    /// A sample for a route whose driver has none of its own: a small JSON body.
    #[must_use]
    pub fn of_any_route() -> Self {
        Self::accepted(Target::Body, r#"{"a":["b",1]}"#)
    }

    /// The sample's request to a route, with `text` in the place of the mangled part.
    pub fn request<'a>(&self, stack: &'a TestStack, route: &Route, text: &[u8]) -> Call<'a> {
        let mut call = stack.request(route.method, route.path);
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        match self.target {
            Target::Body => call.body(text.to_vec()),
            Target::Query => call.query(&String::from_utf8_lossy(text)),
            // A client cannot send the other bytes in a header.
            Target::Header(name) => {
                let sent = text.iter().filter(|byte| matches!(byte, 0x20..=0x7e | 0x80..));
                call.header(name, sent.copied().collect::<Vec<_>>())
            }
        }
    }

    fn refused(target: Target, text: impl Into<String>) -> Self {
        Self { headers: Vec::new(), target, text: text.into(), outcome: Outcome::Refused }
    }

    fn accepted(target: Target, text: impl Into<String>) -> Self {
        Self { outcome: Outcome::AcceptedOrRefused, ..Self::refused(target, text) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// One contract, through the clients of one stack.
#[async_trait]
pub trait Driver: Send + Sync {
    fn facts(&self) -> &'static Facts;

    fn stack(&self) -> &TestStack;

    fn new_person(&self) -> Person;

    /// Sends the request of a sign-up after which a code is sent.
    async fn ask_for_code(&self, person: &Person) -> Reply;

    /// Completes the sign-up with a code. `asked` is the answer of [`Driver::ask_for_code`].
    async fn enter_code(&self, person: &Person, asked: &Reply, code: &str) -> Reply;

    /// Opens another session of a person who has signed up.
    async fn sign_in(&self, person: &Person) -> Reply;

    /// Sends what an attacker can send about any recipient, and whose answer must not tell whether the recipient has an
    /// account.
    async fn probe(&self, recipient: &str) -> Reply;

    /// Exchanges a refresh token, if the contract has them.
    async fn refresh(&self, _token: &str) -> Option<Reply> {
        None
    }

    /// Asks for the user of an access token, if the contract has an endpoint for that.
    async fn who_am_i(&self, _token: &str) -> Option<Reply> {
        None
    }

    /// Ends the session of an access token, if the contract has an endpoint for that.
    async fn sign_out(&self, _token: &str) -> Option<Reply> {
        None
    }

    /// The access token in the answer that opens a session.
    fn access_token(&self, reply: &Reply) -> String;

    /// The user's id in the answer that opens a session.
    fn user_id(&self, reply: &Reply) -> String;

    /// Whether an answer is the contract's refusal of a code.
    fn refuses_code(&self, reply: &Reply) -> bool;

    /// Whether an answer has the form of this endpoint's refusals.
    fn is_refusal(&self, function: &str, reply: &Reply) -> bool;

    /// A stranger uses the recipient of another person, as far as the contract allows that without a proof: signs up, sets
    /// a password, opens a session. Then the owner proves the recipient for the first time, without that password.
    async fn first_proof(&self) -> FirstProof;

    /// Uses every endpoint, with right and with wrong secrets.
    async fn journey(&self) -> Traces;

    /// Requests to an endpoint, for mangling; empty for an endpoint whose body is not read.
    async fn samples(&self, function: &str) -> Vec<Sample>;
}

/// The driver of the contract that a route belongs to.
#[must_use]
pub fn driver_of<'d, 's>(
    drivers: &'d [Box<dyn Driver + 's>],
    route: &Route,
) -> &'d (dyn Driver + 's) {
    let contract = route.function.split('-').next();
    let driver = drivers.iter().find(|driver| Some(driver.facts().name) == contract);
    driver.unwrap_or_else(|| panic!("no driver of {}", route.function)).as_ref()
}

impl dyn Driver + '_ {
    /// Requests to an endpoint; for an endpoint without samples a small JSON body.
    pub async fn requests(&self, function: &str) -> Vec<Sample> {
        let samples = self.samples(function).await;
        if samples.is_empty() { vec![Sample::of_any_route()] } else { samples }
    }

    /// Waits for the code in the message number `count` to a person.
    pub async fn code(&self, person: &Person, count: usize) -> String {
        code_in(&self.stack().text(&person.recipient, count).await)
    }

    /// Asks for a code, and returns the answer and the code. The code is the first message to the person.
    pub async fn asked(&self, person: &Person) -> (Reply, String) {
        let reply = self.ask_for_code(person).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
        let code = self.code(person, 1).await;
        (reply, code)
    }

    /// Signs a person up, and returns the last answer.
    pub async fn signed_up(&self, person: &Person) -> Reply {
        let (asked, code) = self.asked(person).await;
        let reply = self.enter_code(person, &asked, &code).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// Requires that a code was refused as the contract says.
    #[track_caller]
    pub fn expect_code_refused(&self, reply: &Reply) {
        assert!(self.refuses_code(reply), "{}: {reply:?}", self.facts().name);
    }

    /// Requires the contract's answer to a fault.
    #[track_caller]
    pub fn expect_internal_error(&self, reply: &Reply) {
        reply.expect_text(500, self.facts().internal_error);
    }

    /// The challenge items of a person that hold a code.
    pub async fn challenges(&self, person: &Person) -> Vec<Value> {
        let mut items = self.stack().items_with("Challenges", &person.recipient).await;
        items.retain(|item| !item["nonce"].is_null());
        items
    }

    /// Whether a person has a complete account whose recipient is proved. Requires that there is no part of an account.
    pub async fn has_account(&self, person: &Person) -> bool {
        let users = self.stack().items_with("Users", &person.recipient).await;
        let Some(user) = users.first() else {
            let identifiers = self.stack().items_with("Identifiers", &person.recipient).await;
            assert!(identifiers.is_empty(), "an identifier without a user: {identifiers:?}");
            return false;
        };
        assert_eq!(users.len(), 1, "{users:?}");
        for (table, count) in self.facts().account {
            let items = self.stack().items_of_user(table, user["user_id"].as_str().unwrap()).await;
            assert_eq!(items.len(), *count, "{table} of {user}");
        }
        user["email_verified"] == true || user["phone_verified"] == true
    }

    /// Requires that each event of a complete sign-up arrives, once.
    pub async fn expect_events(&self, person: &Person) {
        let users = self.stack().items_with("Users", &person.recipient).await;
        let id = users[0]["user_id"].as_str().unwrap();
        let expected = self.facts().events;
        self.stack().events(id, expected.len()).await;
        self.stack().wait_until_delivered(id).await;
        let events = self.stack().events_of(id).await;
        let mut types: Vec<_> =
            events.iter().map(|event| event["detailType"].as_str().unwrap()).collect();
        types.sort_unstable();
        assert_eq!(types, expected, "{events:?}");
    }
}

/// Whether a JSON body is an object with just these members.
fn has_members(body: &Value, members: &[&str]) -> bool {
    body.as_object().is_some_and(|object| {
        object.len() == members.len() && members.iter().all(|name| object.contains_key(*name))
    })
}

/// The `Authorization` header of an access token.
fn authorization(token: &str) -> String {
    format!("Bearer {token}")
}
