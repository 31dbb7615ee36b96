//! A siege: many attackers against owners of accounts, who go on using them from the addresses that their accounts know.
//!
//! `examples/siege.rs` lets it last for minutes, and a test runs a short one.

use crate::call::client_at;
use crate::goodcity::{new_mobile, otp_auth_key};
use crate::gotu::{PASSWORD, tokens};
use crate::logs::json_line;
use crate::{Reply, TestStack, all, code_in, derived_code, goodcity, gotu, new_email, new_phone};
use latchkey::contracts::{goodcity as of_goodcity, gotu as of_gotu};
use latchkey::domain::challenge::{ChallengeKey, Lane, Purpose};
use latchkey::domain::code::CodeFormat;
use latchkey::domain::identifier::Identifier;
use latchkey::domain::realm::Realm;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No code begins with 0, so these are always wrong.
const WRONG: [&str; 2] = ["000000", "0000"];
/// How often an owner looks for a message, and for how long.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 300;

/// What an owner does.
pub const BY_PASSWORD: &str = "Gotu: sign in with a password";
pub const BY_CODE: &str = "Gotu: get a code and sign in with it";
pub const BY_PIN: &str = "GoodCity: get a pin and sign in with it";
pub const REFRESH: &str = "Gotu: refresh";

/// Successes, and all tries.
pub type Tally = BTreeMap<&'static str, [u64; 2]>;

/// What the attackers were answered: the number of requests by what they sent and the status.
pub type Answers = BTreeMap<(&'static str, u16), u64>;

/// A siege of a stack.
pub struct Siege<'a> {
    stack: &'a TestStack,
    owners: Vec<Owner>,
    /// One client for each address.
    attackers: Vec<Client>,
    tally: Mutex<Tally>,
    answers: Mutex<Answers>,
    failures: Mutex<Vec<String>>,
}

/// An owner: accounts, the client whose address they know, and the current refresh token.
struct Owner {
    client: Client,
    phone: String,
    email: String,
    mobile: String,
    refresh: Mutex<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cheap sequence of numbers that look random. Each attacker has one of its own.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = usize::try_from(self.0 >> 16).unwrap_or(0);
        number.checked_rem(end).unwrap_or(0)
    }
}

impl<'a> Siege<'a> {
    /// Signs `owners` up, each from an address in a network of its own, and gets attackers ready at `addresses`, of which
    /// each has a network of its own too.
    pub async fn prepare(stack: &'a TestStack, owners: u8, addresses: u8) -> Self {
        let mut ready = Vec::new();
        for number in 0..owners {
            ready.push(Owner::sign_up(stack, client_at(Ipv4Addr::new(127, 2, number, 1))).await);
        }
        let attacker = |number| client_at(Ipv4Addr::new(127, 1, number, 1));
        Self {
            stack,
            owners: ready,
            attackers: (0..addresses).map(attacker).collect(),
            tally: Mutex::default(),
            answers: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// What the owners did.
    pub fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// What the attackers were answered.
    pub fn answers(&self) -> Answers {
        lock(&self.answers).clone()
    }

    /// What went wrong for owners, and every fault.
    pub fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }

    /// The number of faults that attackers were answered.
    pub fn faults(&self) -> u64 {
        let answers = self.answers();
        answers.iter().filter(|((_, status), _)| *status >= 500).map(|(_, count)| count).sum()
    }

    /// Runs attackers until `goes_on` is false for the number of the next request of one. An owner does something in each
    /// round that `next_round` starts: `Some(true)` for a round with codes, `None` at the end.
    pub async fn run(
        &self,
        workers: usize,
        goes_on: impl Fn(u64) -> bool,
        next_round: impl AsyncFn(u64) -> Option<bool>,
    ) {
        let attackers = all((0..workers).map(|number| self.attack(number, &goes_on)));
        let owners = all(self.owners.iter().map(|owner| self.defend(owner, &next_round)));
        futures_util::future::join(attackers, owners).await;
    }

    async fn attack(&self, number: usize, goes_on: impl Fn(u64) -> bool) {
        let client = &self.attackers[number.checked_rem(self.attackers.len()).unwrap_or(0)];
        let mut numbers = Numbers(u32::try_from(number).unwrap_or(0));
        let mut key = String::new();
        let mut sent = 0_u64;
        while goes_on(sent) {
            sent = sent.saturating_add(1);
            let owner = &self.owners[numbers.below(self.owners.len())];
            let (what, reply) = self.strike(owner, client, numbers.below(10), &key).await;
            if reply.status >= 500 {
                lock(&self.failures).push(format!("{what}: {reply:?}"));
            }
            if let Some(newer) = reply.json()["otp_auth_key"].as_str() {
                newer.clone_into(&mut key);
            }
            let mut answers = lock(&self.answers);
            let count = answers.entry((what, reply.status)).or_default();
            *count = count.saturating_add(1);
        }
    }

    async fn strike(
        &self,
        owner: &Owner,
        client: &Client,
        kind: usize,
        key: &str,
    ) -> (&'static str, Reply) {
        let (gotu, goodcity) = (gotu(self.stack), goodcity(self.stack));
        let [code, pin] = WRONG;
        let Owner { phone, email, mobile, .. } = owner;
        let (what, call) = match kind {
            0..3 => ("Gotu: wrong code", gotu.sign_in_by_phone(phone, code)),
            3 => ("Gotu: wrong password", gotu.sign_in(email, "a wrong horse")),
            4 => ("Gotu: code for an owner", gotu.ask_for_code(phone, "login")),
            5 => ("Gotu: code for a new number", gotu.ask_for_code(&new_phone(), "sign_up")),
            6 => ("Gotu: sign-up of a taken address", gotu.sign_up_by_email(email)),
            7 => ("GoodCity: pin for an owner", goodcity.send_pin(mobile)),
            8 => {
                let call = goodcity.send_pin(mobile);
                let call = call.header("x-goodcity-app-name", "admin.goodcity");
                ("GoodCity: request that sends nothing", call)
            }
            _ => ("GoodCity: wrong pin", goodcity.verify(key, pin)),
        };
        (what, call.through(client).await)
    }

    async fn defend(&self, owner: &Owner, next_round: impl AsyncFn(u64) -> Option<bool>) {
        let mut round = 0_u64;
        while let Some(with_codes) = next_round(round).await {
            round = round.saturating_add(1);
            self.note(BY_PASSWORD, owner.sign_in(self.stack).await);
            self.note(REFRESH, owner.refresh(self.stack).await);
            if with_codes {
                let (code, pin) = futures_util::future::join(
                    owner.sign_in_by_code(self.stack),
                    owner.sign_in_by_pin(self.stack),
                )
                .await;
                self.note(BY_CODE, code);
                self.note(BY_PIN, pin);
            }
        }
    }

    fn note(&self, what: &'static str, result: Result<(), String>) {
        let mut tally = lock(&self.tally);
        let [right, tries] = tally.entry(what).or_default();
        *tries = tries.saturating_add(1);
        match result {
            Ok(()) => *right = right.saturating_add(1),
            Err(failure) => lock(&self.failures).push(format!("{what}: {failure}")),
        }
    }
}

fn expect(status: u16, reply: &Reply) -> Result<(), String> {
    if reply.status == status { Ok(()) } else { Err(format!("{reply:?}")) }
}

impl Owner {
    async fn sign_up(stack: &TestStack, client: Client) -> Self {
        let (phone, email, mobile) = (new_phone(), new_email(), new_mobile());
        let (gotu, goodcity) = (gotu(stack), goodcity(stack));
        gotu.ask_for_code(&phone, "sign_up").through(&client).await.expect_text(204, "");
        let code = code_in(&stack.text(&phone, 1).await);
        let signed_up = gotu.sign_up_by_phone(&phone, &code).through(&client).await;
        assert_eq!(signed_up.status, 200, "{signed_up:?}");
        let signed_up = gotu.sign_up_by_email(&email).through(&client).await;
        let refresh = Mutex::new(tokens(&signed_up).refresh);
        let key = otp_auth_key(&goodcity.sign_up(&mobile).through(&client).await);
        let pin = goodcity.pin(&mobile, 1).await;
        let verified = goodcity.verify(&key, &pin).through(&client).await;
        assert_eq!(verified.status, 200, "{verified:?}");
        Self { client, phone, email, mobile, refresh }
    }

    async fn sign_in(&self, stack: &TestStack) -> Result<(), String> {
        let reply = gotu(stack).sign_in(&self.email, PASSWORD).through(&self.client).await;
        expect(200, &reply)?;
        *lock(&self.refresh) = tokens(&reply).refresh;
        Ok(())
    }

    async fn refresh(&self, stack: &TestStack) -> Result<(), String> {
        let token = lock(&self.refresh).clone();
        let reply = gotu(stack).refresh(&token).through(&self.client).await;
        expect(200, &reply)?;
        *lock(&self.refresh) = tokens(&reply).refresh;
        Ok(())
    }

    async fn sign_in_by_code(&self, stack: &TestStack) -> Result<(), String> {
        let asked = gotu(stack).ask_for_code(&self.phone, "login").through(&self.client).await;
        expect(204, &asked)?;
        let realm = of_gotu::PROFILE.realm();
        let code = received(stack, realm, &self.phone, of_gotu::PROFILE.code_format).await?;
        let reply = gotu(stack).sign_in_by_phone(&self.phone, &code).through(&self.client).await;
        expect(200, &reply)
    }

    async fn sign_in_by_pin(&self, stack: &TestStack) -> Result<(), String> {
        let asked = goodcity(stack).send_pin(&self.mobile).through(&self.client).await;
        expect(200, &asked)?;
        let realm = of_goodcity::realm();
        let pin = received(stack, realm, &self.mobile, of_goodcity::PROFILE.code_format).await?;
        let key = otp_auth_key(&asked);
        let reply = goodcity(stack).verify(&key, &pin).through(&self.client).await;
        expect(200, &reply)
    }
}

/// Waits for the message with the code that an owner has just asked for, and returns the code. Attackers cause messages to
/// the same number, so the code is derived ([`crate::KNOWN_RING`]) and looked for.
async fn received(
    stack: &TestStack,
    realm: Realm,
    to: &str,
    format: CodeFormat,
) -> Result<String, String> {
    let recipient = Identifier::from_parts("phone", to).unwrap();
    let id = format!("{}#sign_in:network#phone#{to}", realm.contract());
    let get = json!({"TableName": "Challenges", "Key": {"challenge_id": {"S": id}}});
    let item = stack.dynamodb("GetItem", &get).await["Item"].take();
    if item.is_null() {
        return Err(format!("the account of {to} does not know the source"));
    }
    let item = json!({"nonce": item["nonce"]["B"], "key_id": item["key_id"]["S"]});
    let key = ChallengeKey::new(realm, Purpose::SignIn, recipient).in_lane(Lane::Network);
    let code = derived_code(key, &item, format).await;
    let mut ticks = tokio::time::interval(LOOK);
    for _ in 0..LOOKS {
        ticks.tick().await;
        let messages = stack.messages(to).await;
        if messages.iter().rev().any(|message| code_in(message["body"].as_str().unwrap()) == code) {
            return Ok(code);
        }
    }
    Err(format!("the code for {to} did not arrive"))
}

/// The refusals of codes in lines that functions wrote, by contract and cause.
pub fn refused_codes(lines: &[String]) -> BTreeMap<(String, String), u64> {
    let mut refused = BTreeMap::new();
    let lines = lines.iter().filter(|line| line.contains("\"CodesRefused\""));
    for (_, line) in lines.filter_map(|line| json_line(line)) {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let count = refused.entry((text("Contract"), text("Cause"))).or_insert(0_u64);
        *count = count.saturating_add(line["CodesRefused"].as_u64().unwrap_or(0));
    }
    refused
}

/// The password attempts of every account and unknown identifier.
pub async fn password_attempts(stack: &TestStack) -> Vec<u64> {
    let items = stack.items_with("Budgets", "attempts#").await;
    items.iter().filter_map(|item: &Value| item["attempts"].as_u64()).collect()
}
