//! Clients that use their tokens and codes while the keys are replaced.

use super::{GOODCITY_KEY, current, key_of, now, rotate};
use acceptance::goodcity::{error, new_mobile, otp_auth_key, token};
use acceptance::gotu::tokens;
use acceptance::tokens::part;
use acceptance::urbanfits::{new_person, otp_id, session};
use acceptance::{
    Reply, TestStack, all, code_in, goodcity, gotu, new_phone, token_parts, urbanfits,
};
use latchkey::domain::time::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const URBANFITS_KEY: &str = "TOKEN_KEY_SECRET_URBANFITS";
const REFRESH_KEY: &str = "REFRESH_KEY_SECRET_GOTU";
const CODE_KEY: &str = "OTP_KEY_SECRET";

/// The lifetime of tokens and codes, in seconds.
pub(super) const LIFETIME: u64 = 4;
/// The time for which a code works for certain: the store counts its lifetime in seconds.
const CODE_LIFETIME: Duration = Duration::from_secs(3);
/// The time before a code's end at which the code is used at the latest.
const RESERVE: Duration = Duration::from_millis(1500);

/// A token or a code.
struct Issued {
    text: String,
    /// The name of the key that it was made with.
    key: &'static str,
    /// The id of that key.
    key_id: String,
    /// The time until which it must be accepted.
    until: Timestamp,
}

/// Clients of three contracts that use tokens and codes while the keys are replaced.
pub(super) struct Load<'a> {
    stack: &'a TestStack,
    over: AtomicBool,
    /// The ids of the keys that have signed, by the keys' names.
    signed: Mutex<BTreeMap<String, Vec<String>>>,
    presented: AtomicU32,
    /// The number of presented tokens and codes whose key did not sign any more.
    outdated: AtomicU32,
    rejected: Mutex<Vec<String>>,
}

/// The outcome of the clients' work.
pub(super) struct Outcome {
    pub(super) signed: BTreeMap<String, Vec<String>>,
    pub(super) presented: u32,
    pub(super) outdated: u32,
    pub(super) rejected: Vec<String>,
}

impl<'a> Load<'a> {
    pub(super) async fn new(stack: &'a TestStack) -> Self {
        let load = Self {
            stack,
            over: AtomicBool::default(),
            signed: Mutex::default(),
            presented: AtomicU32::default(),
            outdated: AtomicU32::default(),
            rejected: Mutex::default(),
        };
        load.rotate().await;
        load
    }

    /// Runs the clients until every key was replaced `count` times.
    pub(super) async fn run(self, count: usize) -> Outcome {
        let clients: [Pin<Box<dyn Future<Output = ()> + Send + '_>>; 8] = [
            Box::pin(self.rotations(count)),
            Box::pin(self.goodcity()),
            Box::pin(self.goodcity()),
            Box::pin(self.goodcity()),
            Box::pin(self.gotu()),
            Box::pin(self.gotu()),
            Box::pin(self.urbanfits()),
            Box::pin(self.forger()),
        ];
        let limit = Duration::from_mins(4);
        let done = tokio::time::timeout(limit, all(clients)).await;
        assert!(done.is_ok(), "the rotations took more than four minutes");
        let Self { signed, presented, outdated, rejected, .. } = self;
        Outcome {
            signed: signed.into_inner().unwrap(),
            presented: presented.into_inner(),
            outdated: outdated.into_inner(),
            rejected: rejected.into_inner().unwrap(),
        }
    }

    fn current(&self, key: &str) -> String {
        self.signed.lock().unwrap()[key].last().unwrap().clone()
    }

    /// A code that is requested now.
    fn code(&self) -> Issued {
        let until = now().plus(CODE_LIFETIME);
        Issued { text: String::new(), key: CODE_KEY, key_id: self.current(CODE_KEY), until }
    }

    /// A JWT that was just issued.
    fn token(text: &str, key: &'static str) -> Issued {
        let until = Timestamp::from_seconds(token_parts(text).1["exp"].as_i64().unwrap());
        Issued { text: text.to_owned(), key, key_id: key_of(text), until }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn is_outdated(&self, issued: &Issued) -> bool {
        self.current(issued.key) != issued.key_id
    }

    /// Counts the answer to a token or a code, unless it may have expired meanwhile.
    fn count(&self, issued: &Issued, outdated: bool, reply: &Reply) {
        if now() >= issued.until {
            return;
        }
        self.presented.fetch_add(1, Ordering::Relaxed);
        self.outdated.fetch_add(u32::from(outdated), Ordering::Relaxed);
        if reply.status != 200 {
            let rejected = format!("{} {}: {reply:?}", issued.key, issued.key_id);
            self.rejected.lock().unwrap().push(rejected);
        }
    }

    /// The code in the message after `earlier` others, or `None` if the code expires first.
    async fn arrival(&self, to: &str, earlier: usize, code: &Issued) -> Option<String> {
        let look = || async {
            let found = self.stack.messages(to).await.get(earlier).cloned();
            let found = found.map(|message| code_in(message["body"].as_str().unwrap()));
            (found.is_some() || now() >= code.until).then_some(found)
        };
        self.stack.wait_for("a message, or the end of its code", look).await
    }

    /// Waits until the key of the code does not sign any more, or half of the code's lifetime is over.
    async fn hold(&self, code: &Issued) {
        let half = code.until.minus(RESERVE);
        let look =
            || async { (self.is_over() || self.is_outdated(code) || now() >= half).then_some(()) };
        self.stack.wait_for("a rotation, or half of a lifetime", look).await;
    }

    /// Waits as long, and uses the tokens meanwhile.
    async fn hold_and_use(&self, code: &Issued, tokens: &mut Vec<Issued>) {
        let half = code.until.minus(RESERVE);
        while now() < half && !self.is_outdated(code) && self.use_all(tokens).await {}
    }

    /// Signs up and in with GoodCity again and again, and uses every token until it expires.
    async fn goodcity(&self) {
        let mut tokens: Vec<Issued> = Vec::new();
        let (mut mobile, mut sent) = (new_mobile(), 0);
        while !self.is_over() {
            let mut code = self.code();
            let reply = match sent {
                0 => goodcity(self.stack).sign_up(&mobile).await,
                _ => goodcity(self.stack).send_pin(&mobile).await,
            };
            let key = otp_auth_key(&reply);
            let Some(pin) = self.arrival(&mobile, sent, &code).await else {
                (mobile, sent) = (new_mobile(), 0);
                continue;
            };
            sent = sent.saturating_add(1);
            code.text = pin;
            self.hold_and_use(&code, &mut tokens).await;
            let outdated = self.is_outdated(&code);
            let reply = goodcity(self.stack).verify(&key, &code.text).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                tokens.push(Self::token(&token(&reply), GOODCITY_KEY));
            }
            self.use_all(&mut tokens).await;
        }
    }

    /// Uses each token that has not expired. Returns whether there was one.
    async fn use_all(&self, tokens: &mut Vec<Issued>) -> bool {
        tokens.retain(|token| now() < token.until);
        for token in &*tokens {
            let outdated = self.is_outdated(token);
            let reply = match token.key {
                GOODCITY_KEY => goodcity(self.stack).current_user_profile(&token.text).await,
                _ => urbanfits(self.stack).get_me(&token.text).await,
            };
            self.count(token, outdated, &reply);
        }
        !tokens.is_empty()
    }

    /// Signs up with Gotu by phone and refreshes the session, again and again.
    async fn gotu(&self) {
        while !self.is_over() {
            let (phone, code) = (new_phone(), self.code());
            gotu(self.stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
            let Some(text) = self.arrival(&phone, 0, &code).await else { continue };
            self.hold(&code).await;
            let outdated = self.is_outdated(&code);
            let reply = gotu(self.stack).sign_up_by_phone(&phone, &text).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                self.refresh(&tokens(&reply).refresh).await;
            }
        }
    }

    /// Refreshes a session, loses the answer, and repeats the request after a rotation. The answer must be the same.
    async fn refresh(&self, token: &str) {
        let (key, key_id) = (REFRESH_KEY, self.current(REFRESH_KEY));
        let issued =
            Issued { text: token.to_owned(), key, key_id, until: now().plus(CODE_LIFETIME) };
        let lost = gotu(self.stack).refresh(&issued.text).await;
        self.count(&issued, false, &lost);
        self.hold(&issued).await;
        let outdated = self.is_outdated(&issued);
        let again = gotu(self.stack).refresh(&issued.text).await;
        self.count(&issued, outdated, &again);
        if (lost.status, again.status) == (200, 200) {
            let [lost, again] = [lost, again].map(|reply| tokens(&reply).refresh);
            assert_eq!(lost, again, "another successor");
        }
    }

    /// Signs up with UrbanFits again and again, and uses every session until it expires.
    async fn urbanfits(&self) {
        let mut sessions: Vec<Issued> = Vec::new();
        while !self.is_over() {
            let ((username, email), code) = (new_person(), self.code());
            let otp_id = otp_id(&urbanfits(self.stack).sign_up(&username, &email).await, &email);
            let Some(text) = self.arrival(&email, 0, &code).await else { continue };
            self.hold_and_use(&code, &mut sessions).await;
            let outdated = self.is_outdated(&code);
            let reply = urbanfits(self.stack).enter_code(&otp_id, &text).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                sessions.push(Self::token(&session(&reply), URBANFITS_KEY));
            }
            self.use_all(&mut sessions).await;
        }
    }

    /// Sends forged tokens again and again, each of another key that does not exist. A function that looked for such a key
    /// does not look again for a while, so it must know the next real key before that key signs.
    async fn forger(&self) {
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let header = json!({"alg": "HS256", "kid": format!("{number:08x}")}).to_string();
            let forged = format!("{}.{}.{}", part(&header), part("{}"), part("forged"));
            let reply = goodcity(self.stack).current_user_profile(&forged).await;
            reply.expect(401, &error("Invalid token"));
        }
    }

    /// Invokes the function and records the keys that sign.
    async fn rotate(&self) {
        let steps = rotate(self.stack, &json!({})).await;
        let mut signed = self.signed.lock().unwrap();
        for step in steps {
            let ids = signed.entry(step["key"].as_str().unwrap().to_owned()).or_default();
            if ids.last() != Some(&current(&step)) {
                ids.push(current(&step));
            }
        }
    }

    /// Replaces every key `count` times, by invoking the function often.
    async fn rotations(&self, count: usize) {
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        let done = || self.signed.lock().unwrap().values().all(|ids| ids.len() > count);
        while !done() {
            ticks.tick().await;
            self.rotate().await;
        }
        self.over.store(true, Ordering::Relaxed);
    }
}
