//! Keys are replaced while people use what the old ones have signed, and nobody notices.

use acceptance::{
    NO_LIMITS, Reply, World, all, code_in, key_in, new_email, new_phone, say, token_parts,
};
use latchkey::adapters::system::SystemClock;
use latchkey::domain::time::Timestamp;
use latchkey::ports::Clock as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const FUNCTION: &str = "rotate-keys";
const GOODCITY_KEY: &str = "TOKEN_KEY_SECRET_GOODCITY";
const GOTU_KEY: &str = "TOKEN_KEY_SECRET_GOTU";
const URBANFITS_KEY: &str = "TOKEN_KEY_SECRET_URBANFITS";
const REFRESH_KEY: &str = "REFRESH_KEY_SECRET_GOTU";
const CODE_KEY: &str = "OTP_KEY_SECRET";

fn now() -> Timestamp {
    SystemClock.now()
}

/// No limits, and these variables.
fn without_limits<'a>(env: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    NO_LIMITS.iter().chain(env).copied().collect()
}

/// A stack without limits, with these variables, where no schedule takes a step between two of the test's.
async fn unscheduled(env: &[(&str, &str)]) -> World {
    World::unscheduled(&without_limits(env)).await
}

/// Invokes the function, which must succeed, and returns what each key did.
async fn rotate(world: &World, payload: &Value) -> Vec<Value> {
    let reply = world.invoke(FUNCTION, payload).await;
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, ""), "{reply:?}");
    reply.json()["keys"].as_array().unwrap().clone()
}

/// The id of the key that signs, of those that a turn tells.
fn current(turn: &Value) -> String {
    turn["current"].as_str().unwrap().to_owned()
}

/// A mobile that no other test of the process uses.
fn new_mobile() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("+8529{:07}", NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn sign_up(world: &World, mobile: &str) -> Reply {
    let body = json!({"user_auth": {"mobile": mobile, "address_attributes": {}}});
    world.post("/api/v1/auth/signup", &body).await
}

async fn verify(world: &World, key: &str, pin: &str) -> Reply {
    world.post("/api/v1/auth/verify", &json!({"otp_auth_key": key, "pin": pin})).await
}

/// A new GoodCity user's token.
async fn new_token(world: &World) -> String {
    let mobile = new_mobile();
    let reply = sign_up(world, &mobile).await;
    let key = reply.json()["otp_auth_key"].as_str().unwrap().to_owned();
    let pin = code_in(world.message(&mobile, 1).await["body"].as_str().unwrap());
    let reply = verify(world, &key, &pin).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["jwt_token"].as_str().unwrap().to_owned()
}

/// The id of the key that a token is signed with.
fn key_of(token: &str) -> String {
    token_parts(token).0["kid"].as_str().unwrap().to_owned()
}

async fn profile(world: &World, token: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    world.send("GET", "/api/v1/auth/current_user_profile", &headers, "", None).await
}

async fn get_me(world: &World, session: &str) -> Reply {
    let cookie = format!("session-token={session}");
    world.send("GET", "/user/get/me", &[("cookie", &cookie)], "", None).await
}

async fn refresh(world: &World, token: &str) -> Reply {
    world.post("/sessions/refresh", &json!({"refreshToken": token})).await
}

/// A secret as it is kept.
struct Kept {
    values: Vec<String>,
    versions: BTreeSet<String>,
    labels: BTreeMap<String, String>,
}

impl Kept {
    fn label(&self, name: &str) -> Option<&String> {
        self.labels.get(name)
    }

    /// The version that is published and has not signed yet.
    fn next(&self) -> Option<&String> {
        let used = [self.label("AWSCURRENT"), self.label("AWSPREVIOUS")];
        self.label("AWSPENDING").filter(|next| !used.contains(&Some(*next)))
    }
}

/// Every secret that is kept, by its name.
async fn kept(world: &World) -> BTreeMap<String, Kept> {
    let secrets = world.secrets().await.into_iter().map(|secret| {
        let kept = Kept {
            values: secret.versions.values().map(|value| key_in(value)).collect(),
            versions: secret.versions.into_keys().collect(),
            labels: secret.labels,
        };
        (secret.name, kept)
    });
    secrets.collect()
}

/// Requires that a way of whole steps leads from one standing to the other, on which every published
/// key gets to sign, and returns how many steps it has.
fn steps(before: &Kept, after: &Kept) -> usize {
    assert!(after.versions.is_superset(&before.versions));
    let published = after.versions.difference(&before.versions).count();
    let waiting = |kept: &Kept| usize::from(kept.next().is_some());
    let met = published.saturating_add(waiting(before));
    let signed = met.checked_sub(waiting(after)).unwrap();
    assert_eq!(signed > 0, before.label("AWSCURRENT") != after.label("AWSCURRENT"));
    if signed == 1 {
        assert_eq!(after.label("AWSPREVIOUS"), before.label("AWSCURRENT"));
    }
    published.saturating_add(signed)
}

fn assert_no_key_in(logs: &[String], secrets: &BTreeMap<String, Kept>) {
    for value in secrets.values().flat_map(|kept| &kept.values) {
        assert_eq!(value.len(), 64);
        assert!(!logs.iter().any(|line| line.contains(value)), "a log line holds a key");
    }
}

/// When a key that was published is known everywhere, with rings of one second.
const DUE: Duration = Duration::from_secs(2);

/// How long tokens and codes live in the test under load, in seconds.
const LIFE: u64 = 4;
/// How long a code can be relied on: the store counts its life in seconds.
const CODE_LIFE: Duration = Duration::from_secs(3);
/// How long before that a code is used at the latest.
const LATEST: Duration = Duration::from_millis(1500);

/// Something that was issued: a token or a code.
struct Issued {
    text: String,
    /// The name of the key it hangs on.
    key: &'static str,
    /// The id of that key when it was issued.
    under: String,
    /// Until when it must be taken.
    until: Timestamp,
}

/// Clients at work.
struct Load<'w> {
    world: &'w World,
    over: AtomicBool,
    /// The ids of the keys that signed so far, by their names.
    signed: Mutex<BTreeMap<String, Vec<String>>>,
    presented: AtomicU32,
    /// How many of those hung on a key that was not the current one any more.
    outdated: AtomicU32,
    rejected: Mutex<Vec<String>>,
}

impl Load<'_> {
    fn current(&self, key: &str) -> String {
        self.signed.lock().unwrap()[key].last().unwrap().clone()
    }

    /// A code that is asked for now.
    fn code(&self) -> Issued {
        let until = now().plus(CODE_LIFE);
        Issued { text: String::new(), key: CODE_KEY, under: self.current(CODE_KEY), until }
    }

    /// A JWT that was just issued.
    fn token(text: &str, key: &'static str) -> Issued {
        let until = Timestamp::from_seconds(token_parts(text).1["exp"].as_i64().unwrap());
        Issued { text: text.to_owned(), key, under: key_of(text), until }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn is_outdated(&self, issued: &Issued) -> bool {
        self.current(issued.key) != issued.under
    }

    /// Counts the answer to something that was presented, if it cannot have ended meanwhile.
    fn count(&self, issued: &Issued, outdated: bool, reply: &Reply) {
        if now() >= issued.until {
            return;
        }
        self.presented.fetch_add(1, Ordering::Relaxed);
        self.outdated.fetch_add(u32::from(outdated), Ordering::Relaxed);
        if reply.status != 200 {
            self.rejected
                .lock()
                .unwrap()
                .push(format!("{} {}: {reply:?}", issued.key, issued.under));
        }
    }

    /// The code in the message after `earlier` others; none if it does not come before the code ends.
    async fn arrival(&self, to: &str, earlier: usize, code: &Issued) -> Option<String> {
        let look = || async {
            let found = self.world.messages(to).await.get(earlier).cloned();
            let found = found.map(|message| code_in(message["body"].as_str().unwrap()));
            (found.is_some() || now() >= code.until).then_some(found)
        };
        self.world.until("a message, or the end of its code", look).await
    }

    /// Waits until the code hangs on a retiring key, or half of its life is over.
    async fn hold(&self, code: &Issued) {
        let half = code.until.minus(LATEST);
        let look =
            || async { (self.is_over() || self.is_outdated(code) || now() >= half).then_some(()) };
        self.world.until("a rotation, or half a life", look).await;
    }

    /// The same, while tokens are used, if there are any.
    async fn hold_and_use(&self, code: &Issued, tokens: &mut Vec<Issued>) {
        let half = code.until.minus(LATEST);
        while now() < half && !self.is_outdated(code) && self.use_all(tokens).await {}
    }

    /// Signs up and in with GoodCity for ever, and uses every token as long as it lives.
    async fn goodcity(&self) {
        let mut tokens: Vec<Issued> = Vec::new();
        let (mut mobile, mut sent) = (new_mobile(), 0);
        while !self.is_over() {
            let mut code = self.code();
            let reply = match sent {
                0 => sign_up(self.world, &mobile).await,
                _ => self.world.post("/api/v1/auth/send_pin", &json!({"mobile": mobile})).await,
            };
            assert_eq!(reply.status, 200, "{reply:?}");
            let key = reply.json()["otp_auth_key"].as_str().unwrap().to_owned();
            let Some(pin) = self.arrival(&mobile, sent, &code).await else {
                (mobile, sent) = (new_mobile(), 0);
                continue;
            };
            sent = sent.saturating_add(1);
            code.text = pin;
            self.hold_and_use(&code, &mut tokens).await;
            let outdated = self.is_outdated(&code);
            let reply = verify(self.world, &key, &code.text).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                let json = reply.json();
                tokens.push(Self::token(json["jwt_token"].as_str().unwrap(), GOODCITY_KEY));
            }
            self.use_all(&mut tokens).await;
        }
    }

    /// Uses each token that has not ended; false if there is none.
    async fn use_all(&self, tokens: &mut Vec<Issued>) -> bool {
        tokens.retain(|token| now() < token.until);
        for token in &*tokens {
            let outdated = self.is_outdated(token);
            let reply = match token.key {
                GOODCITY_KEY => profile(self.world, &token.text).await,
                _ => get_me(self.world, &token.text).await,
            };
            self.count(token, outdated, &reply);
        }
        !tokens.is_empty()
    }

    /// Signs up with Gotu by phone, and refreshes the session, for ever.
    async fn gotu(&self) {
        while !self.is_over() {
            let (phone, code) = (new_phone(), self.code());
            let body = json!({"identifier": phone, "otpType": "sign_up"});
            assert_eq!(self.world.post("/otp", &body).await.status, 204);
            let Some(text) = self.arrival(&phone, 0, &code).await else { continue };
            self.hold(&code).await;
            let outdated = self.is_outdated(&code);
            let reply = self.world.sign_up_by_phone(&phone, &text).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                self.refresh(reply.json()["data"]["refreshToken"].as_str().unwrap()).await;
            }
        }
    }

    /// Refreshes a session, loses the answer, and asks for it again after a rotation: it must be the
    /// same one.
    async fn refresh(&self, token: &str) {
        let (key, under) = (REFRESH_KEY, self.current(REFRESH_KEY));
        let issued = Issued { text: token.to_owned(), key, under, until: now().plus(CODE_LIFE) };
        let lost = refresh(self.world, &issued.text).await;
        self.count(&issued, false, &lost);
        self.hold(&issued).await;
        let outdated = self.is_outdated(&issued);
        let again = refresh(self.world, &issued.text).await;
        self.count(&issued, outdated, &again);
        if (lost.status, again.status) == (200, 200) {
            let [lost, again] =
                [lost, again].map(|reply| reply.json()["data"]["refreshToken"].clone());
            assert_eq!(lost, again, "another successor");
        }
    }

    /// Signs up with UrbanFits for ever, and uses every session as long as it lives.
    async fn urbanfits(&self) {
        let mut sessions: Vec<Issued> = Vec::new();
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let (email, code) = (new_email(), self.code());
            let body = json!({"username": format!("rotated_{number}"), "email": email,
                "phone_prefix": "+92", "phone_number": "30142353150", "password": "password",
                "timezone": "Asia/Dubai", "accept_policies": true});
            let reply = self.world.post("/auth/signup", &body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let otp_id = reply.json()["otp_id"].clone();
            let Some(text) = self.arrival(&email, 0, &code).await else { continue };
            self.hold_and_use(&code, &mut sessions).await;
            let outdated = self.is_outdated(&code);
            let body = json!({"otp_id": otp_id, "otp": text});
            let reply = self.world.post("/auth/signup/callback", &body).await;
            self.count(&code, outdated, &reply);
            if reply.status == 200 {
                let cookie = reply.header("set-cookie").trim_start_matches("session-token=");
                sessions.push(Self::token(cookie.split(';').next().unwrap(), URBANFITS_KEY));
            }
            self.use_all(&mut sessions).await;
        }
    }

    /// Sends forged tokens for ever, each of another key that does not exist: whoever looks for one
    /// of them does not look again for a while, and must know the next real key before it signs.
    async fn stranger(&self) {
        let base64 = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let header = json!({"alg": "HS256", "kid": format!("{number:08x}")}).to_string();
            let forged = format!("{}.{}.{}", base64(&header), base64("{}"), base64("forged"));
            let reply = profile(self.world, &forged).await;
            reply.expect(401, &json!({"error": "Invalid token"}));
        }
    }

    /// Invokes the function and notes the keys that sign.
    async fn look(&self) {
        let turns = rotate(self.world, &json!({})).await;
        let mut signed = self.signed.lock().unwrap();
        for turn in turns {
            let ids = signed.entry(turn["key"].as_str().unwrap().to_owned()).or_default();
            if ids.last() != Some(&current(&turn)) {
                ids.push(current(&turn));
            }
        }
    }

    /// Has every key replaced `count` times, as an impatient schedule would.
    async fn rotations(&self, count: usize) {
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        let done = || self.signed.lock().unwrap().values().all(|ids| ids.len() > count);
        while !done() {
            ticks.tick().await;
            self.look().await;
        }
        self.over.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn five_rotations_under_load_reject_nothing_that_is_valid() {
    const ROTATIONS: usize = 5;
    let life = LIFE.to_string();
    let env = [
        ("KEY_ROTATION_SECONDS", "5"),
        ("KEY_RING_SECONDS", "3"),
        ("OTP_TTL_SECONDS", &life),
        ("ACCESS_TOKEN_SECONDS_GOTU", &life),
        ("ACCESS_TOKEN_SECONDS_GOODCITY", &life),
        ("SESSION_SECONDS_URBANFITS", &life),
    ];
    let world = World::with(&without_limits(&env)).await;
    let load = Load {
        world: &world,
        over: AtomicBool::default(),
        signed: Mutex::default(),
        presented: AtomicU32::default(),
        outdated: AtomicU32::default(),
        rejected: Mutex::default(),
    };
    load.look().await;
    let clients: [Pin<Box<dyn Future<Output = ()> + Send + '_>>; 8] = [
        Box::pin(load.rotations(ROTATIONS)),
        Box::pin(load.goodcity()),
        Box::pin(load.goodcity()),
        Box::pin(load.goodcity()),
        Box::pin(load.gotu()),
        Box::pin(load.gotu()),
        Box::pin(load.urbanfits()),
        Box::pin(load.stranger()),
    ];
    let limit = Duration::from_mins(4);
    tokio::time::timeout(limit, all(clients)).await.expect("the rotations within four minutes");

    let Load { signed, presented, outdated, rejected, .. } = load;
    let (presented, outdated) = (presented.into_inner(), outdated.into_inner());
    let (signed, rejected) = (signed.into_inner().unwrap(), rejected.into_inner().unwrap());
    say(&format!(
        "rejected valid tokens: {} of {presented}, rotations {ROTATIONS} \
         ({outdated} were of a key that did not sign any more)",
        rejected.len()
    ));
    assert!(rejected.is_empty(), "{rejected:?}");
    assert!(outdated > 0 && presented > 100);
    let secrets = kept(&world).await;
    assert_eq!(signed.len(), secrets.len(), "every secret is rotated");
    for (key, ids) in &signed {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{key} came back");
        assert!(ids.len() > ROTATIONS, "{key}");
    }
    // What is signed now is signed with the key that signs now.
    let newest = async || {
        let turns = rotate(&world, &json!({})).await;
        let gotu = turns.iter().find(|turn| turn["key"] == GOTU_KEY).map(current);
        let reply = world.sign_up_by_email(&new_email()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let json = reply.json();
        let token = json["data"]["accessToken"].as_str().unwrap();
        (gotu == Some(key_of(token))).then_some(())
    };
    world.until("a token of the newest key", newest).await;
    assert_no_key_in(&world.stack().logs(), &kept(&world).await);
}

#[tokio::test]
async fn a_leaked_key_is_worthless_once_it_was_replaced_twice() {
    let world = World::with(&without_limits(&[("KEY_RING_SECONDS", "1")])).await;
    let before = rotate(&world, &json!({})).await;
    assert!(before.iter().all(|turn| turn["turn"] == "rests" && turn["next"].is_null()));
    let leaked = new_token(&world).await;
    let once = json!({"at_once": [GOODCITY_KEY]});
    let first = rotate(&world, &once).await;
    assert_eq!((first.len(), &first[0]["key"]), (1, &json!(GOODCITY_KEY)));
    assert_eq!(first[0]["turn"], "replaced");
    assert_ne!(current(&first[0]), key_of(&leaked));
    // It is the previous key now.
    assert_eq!(profile(&world, &leaked).await.status, 200);
    let signed_anew = async || {
        let token = new_token(&world).await;
        (key_of(&token) == current(&first[0])).then_some(token)
    };
    let fresh = world.until("a token of the new key", signed_anew).await;
    assert_eq!(profile(&world, &fresh).await.status, 200);

    rotate(&world, &once).await;
    let refused = async || {
        let reply = profile(&world, &leaked).await;
        (reply.status != 200).then_some(reply)
    };
    let refusal = world.until("the end of the leaked key", refused).await;
    refusal.expect(401, &json!({"error": "Invalid token"}));
    assert_eq!(profile(&world, &fresh).await.status, 200);

    // Whoever names something else is told so, and nothing happens.
    let unknown = json!({"at_once": [GOTU_KEY, "EMAIL_SENDER"]});
    let reply = world.invoke(FUNCTION, &unknown).await;
    assert_eq!(reply.header("x-amz-function-error"), "Unhandled", "{reply:?}");
    assert!(reply.body.contains("there is no key EMAIL_SENDER"), "{reply:?}");
    let after = rotate(&world, &json!({})).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before == after, before["key"] != GOODCITY_KEY, "{before} {after}");
    }
    assert_no_key_in(&world.stack().logs(), &kept(&world).await);
}

#[tokio::test]
async fn two_rotators_at_once_take_one_step() {
    let env = [("KEY_ROTATION_SECONDS", "0"), ("KEY_RING_SECONDS", "1")];
    let world = unscheduled(&env).await;
    let keys = kept(&world).await.len();
    let mut last = now().minus(DUE);
    for (operation, turn) in
        [("PutSecretValue", "published"), ("UpdateSecretVersionStage", "signs")]
    {
        // What was published a moment ago is not due yet.
        let due = || async { (now().since(last) >= DUE).then_some(()) };
        world.until("the next step", due).await;
        let before = kept(&world).await;
        // The first one sees how the keys stand and is then held up until the second one is done.
        let delay = json!({"service": "secrets", "mode": "timeout", "operation": operation,
            "function": FUNCTION, "count": keys});
        world.fault(&delay).await;
        let held_up = async || {
            let calls = world.calls(FUNCTION).await;
            let held = calls.iter().filter(|call| call["operation"] == operation).count();
            (held >= keys).then_some(())
        };
        let second = async {
            world.until("a rotator in the middle of its step", held_up).await;
            rotate(&world, &json!({})).await
        };
        let payload = json!({});
        let (first, second) = tokio::join!(rotate(&world, &payload), second);
        last = now();
        for (one, other) in first.iter().zip(&second) {
            let took = [one, other].iter().filter(|it| it["turn"] == turn).count();
            assert_eq!(took, 1, "{one} {other}");
        }
        for (name, after) in kept(&world).await {
            assert_eq!(steps(&before[&name], &after), 1, "{name}");
        }
        world.heal().await;
    }
}

#[tokio::test]
async fn a_fault_at_any_call_is_made_up_for_by_the_next_run() {
    // With these every run is due to take a step with every key.
    let env = [("KEY_ROTATION_SECONDS", "0"), ("KEY_RING_SECONDS", "0")];
    let world = unscheduled(&env).await;
    for mode in ["error", "throttle", "lost-reply", "timeout", "crash-before", "crash-after"] {
        for operation in ["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"] {
            let is_due = |kept: &Kept| match operation {
                "PutSecretValue" => kept.next().is_none(),
                "UpdateSecretVersionStage" => kept.next().is_some(),
                _ => true,
            };
            while !kept(&world).await.values().any(is_due) {
                rotate(&world, &json!({})).await;
            }
            let before = kept(&world).await;
            let fault = json!({"service": "secrets", "mode": mode, "operation": operation,
                "function": FUNCTION, "count": 1});
            world.fault(&fault).await;
            let reply = world.invoke(FUNCTION, &json!({})).await;
            let failed = reply.header("x-amz-function-error") == "Unhandled";
            assert_eq!(failed, mode.starts_with("crash"), "{mode} {operation}: {reply:?}");
            world.heal().await;
            let between = kept(&world).await;
            rotate(&world, &json!({})).await;
            let after = kept(&world).await;
            for (name, before) in &before {
                let taken = steps(before, &between[name]);
                assert!(taken == 1 || (taken == 0 && failed), "{mode} {operation} {name}");
                // A call of the crashed process may have been on its way and be carried out now.
                let last = if failed { 1..=2 } else { 1..=1 };
                let made = steps(&between[name], &after[name]);
                assert!(last.contains(&made), "{mode} {operation} {name}: {made}");
            }
        }
    }
    // A lasting fault is an error of the function, which an alarm can see, and of one key alone.
    let before = kept(&world).await;
    let fault = json!({"service": "secrets", "mode": "error", "operation": "DescribeSecret",
        "function": FUNCTION, "count": 4});
    world.fault(&fault).await;
    let reply = world.invoke(FUNCTION, &json!({})).await;
    world.heal().await;
    let after = kept(&world).await;
    let moved = before.iter().filter(|(name, before)| steps(before, &after[*name]) > 0).count();
    let failed = reply.header("x-amz-function-error") == "Unhandled";
    assert!(moved >= before.len() - 1 && failed == (moved < before.len()), "{moved} {reply:?}");
    assert_no_key_in(&world.stack().logs(), &after);
}

#[tokio::test]
async fn a_function_that_cannot_look_for_a_key_does_not_call_its_tokens_forged() {
    let world = World::with(&without_limits(&[("KEY_RING_SECONDS", "1")])).await;
    let old = new_token(&world).await;
    assert_eq!(profile(&world, &old).await.status, 200);
    let deaf = json!({"service": "secrets", "mode": "error", "count": 1_000_000,
        "function": "goodcity-current-user-profile"});
    world.fault(&deaf).await;
    let replaced = rotate(&world, &json!({"at_once": [GOODCITY_KEY]})).await;
    let signed_anew = async || {
        let token = new_token(&world).await;
        (key_of(&token) == current(&replaced[0])).then_some(token)
    };
    let new = world.until("a token of the new key", signed_anew).await;
    // The old copy serves the old token; of the new one's key it knows nothing.
    for _ in 0..2 {
        assert_eq!(profile(&world, &old).await.status, 200);
        assert_eq!(profile(&world, &new).await.status, 500);
    }
    world.heal().await;
    let heard = async || (profile(&world, &new).await.status == 200).then_some(());
    world.until("the new key", heard).await;
}
