//! Clients that use their tokens and codes while the keys are replaced.
//!
//! No time passes for keys, tokens or codes. Instead, a client keeps what it got until the keys were replaced once, and the
//! keys are replaced again when every client has used what it kept. So a key leaves the ring after the last use of what it
//! made, and each replacement finds tokens and codes of the key that it replaces.

use super::{GOODCITY_KEY, current, key_of, rotate};
use acceptance::goodcity::{error, new_mobile, otp_auth_key, token};
use acceptance::gotu::tokens;
use acceptance::tokens::part;
use acceptance::urbanfits::{new_person, otp_id, session};
use acceptance::{Reply, TestStack, all, code_in, goodcity, gotu, new_phone, urbanfits};
use serde_json::json;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const URBANFITS_KEY: &str = "TOKEN_KEY_SECRET_URBANFITS";
const REFRESH_KEY: &str = "REFRESH_KEY_SECRET_GOTU";
const CODE_KEY: &str = "OTP_KEY_SECRET";

/// The number of tokens and codes that clients present before the next step.
const BETWEEN_STEPS: u32 = 30;

/// The number of clients that keep tokens and codes.
const KEEPERS: usize = 6;

/// How far the rotations and the clients are.
#[derive(Default)]
struct Progress {
    /// The number of times that every key was replaced.
    replaced: usize,
    /// The number of clients that wait for the next time.
    waiting: usize,
    /// The number of tokens and codes that clients keep, by `replaced` when they were asked for.
    kept: BTreeMap<usize, usize>,
    /// The number of tokens and codes that were presented.
    presented: u32,
    over: bool,
}

/// A token or a code. A key that made it stays in the ring until this value is dropped.
struct Issued<'a> {
    text: String,
    /// The name of the key that it was made with.
    key: &'static str,
    /// The id of that key.
    key_id: String,
    /// The number of times that every key had been replaced when it was asked for.
    since: usize,
    progress: &'a watch::Sender<Progress>,
}

impl Drop for Issued<'_> {
    fn drop(&mut self) {
        self.progress.send_modify(|progress| {
            let kept = progress.kept.entry(self.since).or_default();
            *kept = kept.saturating_sub(1);
        });
    }
}

/// Clients of three contracts that use tokens and codes while the keys are replaced.
pub(super) struct Load<'a> {
    stack: &'a TestStack,
    progress: watch::Sender<Progress>,
    /// The ids of the keys that have signed, by the keys' names.
    signed: Mutex<BTreeMap<String, Vec<String>>>,
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
    pub(super) fn new(stack: &'a TestStack) -> Self {
        Self {
            stack,
            progress: watch::Sender::default(),
            signed: Mutex::default(),
            outdated: AtomicU32::default(),
            rejected: Mutex::default(),
        }
    }

    /// Replaces every key, and runs clients until every key was replaced `count` times more.
    pub(super) async fn run(self, count: usize) -> Outcome {
        for turn in ["published", "signs"] {
            self.step(turn).await;
        }
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
        let done = tokio::time::timeout(Duration::from_mins(4), all(clients)).await;
        assert!(done.is_ok(), "the rotations took more than four minutes");
        let Self { signed, progress, outdated, rejected, .. } = self;
        Outcome {
            signed: signed.into_inner().unwrap(),
            presented: progress.borrow().presented,
            outdated: outdated.into_inner(),
            rejected: rejected.into_inner().unwrap(),
        }
    }

    fn current(&self, key: &str) -> String {
        self.signed.lock().unwrap()[key].last().unwrap().clone()
    }

    /// A token or a code that is asked for now.
    fn asked(&self, key: &'static str) -> Issued<'_> {
        let mut since = 0;
        self.progress.send_modify(|progress| {
            since = progress.replaced;
            let kept = progress.kept.entry(since).or_default();
            *kept = kept.saturating_add(1);
        });
        let (text, key_id) = (String::new(), self.current(key));
        Issued { text, key, key_id, since, progress: &self.progress }
    }

    fn is_over(&self) -> bool {
        self.progress.borrow().over
    }

    /// Returns whether the keys were replaced since a token or a code was asked for.
    fn is_due(&self, issued: &Issued<'_>) -> bool {
        self.progress.borrow().replaced > issued.since
    }

    fn is_outdated(&self, issued: &Issued<'_>) -> bool {
        self.current(issued.key) != issued.key_id
    }

    /// Counts the answer to a token or a code.
    fn count(&self, issued: &Issued<'_>, outdated: bool, reply: &Reply) {
        self.progress.send_modify(|progress| {
            progress.presented = progress.presented.saturating_add(1);
        });
        self.outdated.fetch_add(u32::from(outdated), Ordering::Relaxed);
        if reply.status != 200 {
            let rejected = format!("{} {}: {reply:?}", issued.key, issued.key_id);
            self.rejected.lock().unwrap().push(rejected);
        }
    }

    /// The code in the message after `earlier` others.
    async fn arrival(&self, to: &str, earlier: usize) -> String {
        code_in(&self.stack.text(to, earlier.saturating_add(1)).await)
    }

    /// Waits until the keys were replaced, or the rotations are over, and uses the tokens meanwhile.
    async fn keep(&self, issued: &Issued<'_>, tokens: &mut Vec<Issued<'_>>) {
        self.progress.send_if_modified(|progress| {
            let waits = progress.replaced == issued.since;
            progress.waiting = progress.waiting.saturating_add(usize::from(waits));
            waits
        });
        let replaced = |progress: &Progress| progress.over || progress.replaced > issued.since;
        while !tokens.is_empty() && !replaced(&self.progress.borrow()) {
            self.use_all(tokens).await;
        }
        self.progress.subscribe().wait_for(replaced).await.unwrap();
    }

    /// Uses each token, and keeps those that were not used since the keys were replaced.
    async fn use_all(&self, tokens: &mut Vec<Issued<'_>>) {
        let mut kept = Vec::new();
        for token in tokens.drain(..) {
            let (due, outdated) = (self.is_due(&token), self.is_outdated(&token));
            let reply = match token.key {
                GOODCITY_KEY => goodcity(self.stack).current_user_profile(&token.text).await,
                _ => urbanfits(self.stack).get_me(&token.text).await,
            };
            self.count(&token, outdated, &reply);
            if !due {
                kept.push(token);
            }
        }
        tokens.extend(kept);
    }

    /// Signs up and in with GoodCity again and again.
    async fn goodcity(&self) {
        let mut tokens = Vec::new();
        let (mobile, mut sent) = (new_mobile(), 0);
        while !self.is_over() {
            let mut code = self.asked(CODE_KEY);
            let reply = match sent {
                0 => goodcity(self.stack).sign_up(&mobile).await,
                _ => goodcity(self.stack).send_pin(&mobile).await,
            };
            let key = otp_auth_key(&reply);
            code.text = self.arrival(&mobile, sent).await;
            sent = sent.saturating_add(1);
            if !tokens.is_empty() {
                self.keep(&code, &mut tokens).await;
            }
            let (outdated, mut issued) = (self.is_outdated(&code), self.asked(GOODCITY_KEY));
            let reply = goodcity(self.stack).verify(&key, &code.text).await;
            self.count(&code, outdated, &reply);
            self.use_all(&mut tokens).await;
            if reply.status == 200 {
                issued.text = token(&reply);
                issued.key_id = key_of(&issued.text);
                tokens.push(issued);
            }
        }
    }

    /// Signs up with Gotu by phone and refreshes the session, again and again.
    async fn gotu(&self) {
        while !self.is_over() {
            let (phone, mut code) = (new_phone(), self.asked(CODE_KEY));
            gotu(self.stack).ask_for_code(&phone, "sign_up").await.expect_text(204, "");
            code.text = self.arrival(&phone, 0).await;
            self.keep(&code, &mut Vec::new()).await;
            let outdated = self.is_outdated(&code);
            let reply = gotu(self.stack).sign_up_by_phone(&phone, &code.text).await;
            self.count(&code, outdated, &reply);
            drop(code);
            if reply.status == 200 {
                self.refresh(&tokens(&reply).refresh).await;
            }
        }
    }

    /// Refreshes a session, loses the answer, and repeats the request after a rotation. The answer must be the same.
    async fn refresh(&self, token: &str) {
        let issued = self.asked(REFRESH_KEY);
        let lost = gotu(self.stack).refresh(token).await;
        self.count(&issued, false, &lost);
        self.keep(&issued, &mut Vec::new()).await;
        let outdated = self.is_outdated(&issued);
        let again = gotu(self.stack).refresh(token).await;
        self.count(&issued, outdated, &again);
        if (lost.status, again.status) == (200, 200) {
            let [lost, again] = [lost, again].map(|reply| tokens(&reply).refresh);
            assert_eq!(lost, again, "another successor");
        }
    }

    /// Signs up with UrbanFits again and again.
    async fn urbanfits(&self) {
        let mut sessions = Vec::new();
        while !self.is_over() {
            let ((username, email), mut code) = (new_person(), self.asked(CODE_KEY));
            let otp_id = otp_id(&urbanfits(self.stack).sign_up(&username, &email).await, &email);
            code.text = self.arrival(&email, 0).await;
            if !sessions.is_empty() {
                self.keep(&code, &mut sessions).await;
            }
            let (outdated, mut issued) = (self.is_outdated(&code), self.asked(URBANFITS_KEY));
            let reply = urbanfits(self.stack).enter_code(&otp_id, &code.text).await;
            self.count(&code, outdated, &reply);
            self.use_all(&mut sessions).await;
            if reply.status == 200 {
                issued.text = session(&reply);
                issued.key_id = key_of(&issued.text);
                sessions.push(issued);
            }
        }
    }

    /// Sends forged tokens again and again, each of another key that does not exist.
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

    /// Takes a step with every key, and records the keys that sign.
    async fn step(&self, turn: &str) {
        let steps = rotate(self.stack, &json!({})).await;
        assert!(steps.iter().all(|step| step["turn"] == turn), "{steps:?}");
        let mut signed = self.signed.lock().unwrap();
        for step in steps {
            let ids = signed.entry(step["key"].as_str().unwrap().to_owned()).or_default();
            if ids.last() != Some(&current(&step)) {
                ids.push(current(&step));
            }
        }
    }

    /// Waits until the clients have presented tokens and codes.
    async fn wait_for_clients(&self) {
        let enough = self.progress.borrow().presented.saturating_add(BETWEEN_STEPS);
        self.wait_for(|progress| progress.presented >= enough).await;
    }

    async fn wait_for(&self, condition: impl FnMut(&Progress) -> bool) {
        self.progress.subscribe().wait_for(condition).await.unwrap();
    }

    /// Replaces every key `count` times.
    async fn rotations(&self, count: usize) {
        for replaced in 0..count {
            self.wait_for(|progress| progress.waiting == KEEPERS).await;
            for turn in ["published", "signs"] {
                self.wait_for_clients().await;
                self.step(turn).await;
            }
            let now = replaced.saturating_add(1);
            self.progress.send_modify(|progress| (progress.replaced, progress.waiting) = (now, 0));
            // What the keys before the last ones made has had its last use.
            let is_kept =
                |progress: &Progress| progress.kept.range(..now).any(|(_, kept)| *kept > 0);
            self.wait_for(|progress| !is_kept(progress)).await;
        }
        self.progress.send_modify(|progress| progress.over = true);
    }
}
