//! Prints whether known and unknown users can be told apart, for each endpoint that answers both alike:
//! `cargo run -p acceptance --example enumeration [-- --requests 1000 --only "Gotu"]`.
//!
//! The requests about known and about unknown users come in random order, from an address that no account knows and from one
//! that the accounts know. For each endpoint it prints whether answers and AWS calls are equal, both medians, their difference,
//! and the p of the Mann-Whitney U test: the probability of a difference as large if there is none. `--only` measures the
//! endpoints whose titles begin so.

#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails, fails")]
#![expect(clippy::indexing_slicing, reason = "a measurement that fails, fails")]

use acceptance::call::client_at;
use acceptance::goodcity::{new_mobile, otp_auth_key};
use acceptance::posbytz::{BOTH, Credentials, by_email, token_request};
use acceptance::urbanfits::new_person;
use acceptance::{Call, TestStack, goodcity, gotu, new_email, new_phone, posbytz, urbanfits};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Instant;

/// Limits that are counted and not reached.
const WIDE_LIMITS: [(&str, &str); 7] = [
    ("OTP_RESEND_SECONDS", "0"),
    ("OTP_SENDS_PER_HOUR", "1000000"),
    ("OTP_SENDS_PER_DAY", "1000000"),
    ("OTP_SENDS_PER_HOUR_PER_IP", "1000000"),
    ("OTP_GUESSES_PER_HOUR_PER_IP", "1000000"),
    ("SENDS_PER_HOUR_PER_CLIENT", "1000000"),
    ("OTP_MAX_ATTEMPTS", "1000000"),
];
/// The attempts at a password without a pause.
const FREE_ATTEMPTS: usize = 5;
/// The number of users of each class, for requests that may be repeated.
const USERS: usize = 10;
/// The requests of each class whose AWS calls are compared.
const COMPARED: usize = 5;
/// The address that users sign up from, and one that no account knows.
const KNOWN: Ipv4Addr = Ipv4Addr::LOCALHOST;
const UNKNOWN: Ipv4Addr = Ipv4Addr::new(127, 1, 1, 1);
const WRONG_PASSWORD: &str = "a wrong horse";

/// The names of known and of unknown users: whatever a request needs.
type Pairs = Vec<[String; 2]>;

/// An endpoint, and what is asked about.
struct Probe<'a> {
    title: &'a str,
    function: &'a str,
    pairs: &'a Pairs,
    request: Box<dyn Fn(&str) -> Call<'a> + Send + Sync + 'a>,
}

fn probe<'a>(
    title: &'a str,
    function: &'a str,
    pairs: &'a Pairs,
    request: impl Fn(&str) -> Call<'a> + Send + Sync + 'a,
) -> Probe<'a> {
    Probe { title, function, pairs, request: Box::new(request) }
}

/// A cheap sequence of numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 33
    }

    /// Shuffles a list.
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.next().checked_rem(u64::try_from(at).unwrap().saturating_add(1));
            list.swap(at, usize::try_from(other.unwrap()).unwrap());
        }
    }
}

/// Returns `count` as a number for computations.
fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Returns the two-sided p of the Mann-Whitney U test, by the normal approximation, which is good for some hundred values.
fn mann_whitney(one: &[f64], other: &[f64]) -> f64 {
    let classes = [(one, true), (other, false)];
    let mut all: Vec<_> = classes
        .iter()
        .flat_map(|(times, is_one)| times.iter().map(|time| (*time, *is_one)))
        .collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    // The clock has nanoseconds, so equal times are too rare to matter.
    let ranks = all.iter().enumerate().filter(|(_, (_, is_one))| *is_one);
    let sum: f64 = ranks.map(|(at, _)| real(at) + 1.0).sum();
    let (n, m) = (real(one.len()), real(other.len()));
    let u = sum - n * (n + 1.0) / 2.0;
    let deviation = (n * m * (n + m + 1.0) / 12.0).sqrt();
    complementary_error(((u - n * m / 2.0) / deviation).abs() / 2.0_f64.sqrt())
}

/// The complementary error function of a number that is not negative (Abramowitz and Stegun 7.1.26, to 1.5e-7).
fn complementary_error(x: f64) -> f64 {
    let t = 1.0 / 0.327_591_1_f64.mul_add(x, 1.0);
    let terms = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let sum = terms.iter().fold(0.0_f64, |sum, term| sum.mul_add(t, *term));
    sum * t * (-x * x).exp()
}

/// What the functions call for a request, in a fixed order, with the consumed capacity.
fn shown(calls: &[Value]) -> Vec<String> {
    let shown = calls.iter().map(|call| {
        json!([call["operation"], call["resources"], call["status"], call["units"]]).to_string()
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    shown
}

fn verdict(equal: bool) -> &'static str {
    if equal { "equal" } else { "DIFFERENT" }
}

impl Probe<'_> {
    /// Measures, and prints one line.
    async fn measure(&self, stack: &TestStack, source: Ipv4Addr, requests: usize) {
        let client = client_at(source);
        let mut numbers = Numbers(7);
        let mut order: Vec<_> = (0..requests).flat_map(|at| [(at, 0), (at, 1)]).collect();
        numbers.shuffle(&mut order);
        let mut times = [Vec::new(), Vec::new()];
        let mut answers = [Vec::new(), Vec::new()];
        let pair = |at: usize| &self.pairs[at.checked_rem(self.pairs.len()).unwrap()];
        // The first request starts the process.
        (self.request)("").through(&client).await;
        for (at, class) in order {
            let request = (self.request)(&pair(at)[class]).through(&client);
            let started = Instant::now();
            let reply = request.await;
            times[class].push(started.elapsed().as_secs_f64() * 1000.0);
            answers[class].push(reply.visible().to_string());
        }
        for answers in &mut answers {
            answers.sort();
            answers.dedup();
        }
        let mut calls = [Vec::new(), Vec::new()];
        for at in 0..COMPARED {
            for (class, calls) in calls.iter_mut().enumerate() {
                // The last pairs have the most attempts left.
                let request = (self.request)(
                    &pair(self.pairs.len().saturating_sub(at.saturating_add(1)))[class],
                );
                let (_, made) = stack.calls_during(self.function, request.through(&client)).await;
                calls.push(shown(&made));
            }
        }
        let p = mann_whitney(&times[0], &times[1]);
        let [known, unknown] = times.map(|mut times| median(&mut times));
        let apart = (known - unknown) / known.max(unknown) * 100.0;
        println!(
            "{}: answers {}, calls {}; median {known:.2} ms known, {unknown:.2} ms unknown, {apart:+.1} %; p = {p:.2e}",
            self.title,
            verdict(answers[0] == answers[1]),
            verdict(calls[0] == calls[1]),
        );
        if calls[0] != calls[1] {
            println!("  known: {:?}\n  unknown: {:?}", calls[0][0], calls[1][0]);
        }
        if answers[0] != answers[1] {
            println!("  known: {:?}\n  unknown: {:?}", answers[0], answers[1]);
        }
    }
}

/// Users of every contract, each with an unknown one beside.
struct Users {
    gotu_phones: Pairs,
    goodcity_mobiles: Pairs,
    urbanfits_emails: Pairs,
    /// Customers that have not signed in, so that their accounts know no client.
    posbytz_new: Pairs,
    /// Customers whose accounts know the client.
    posbytz_known: Pairs,
    posbytz_ids: Pairs,
    clients: Pairs,
    token: String,
}

impl Users {
    async fn sign_up(stack: &TestStack, by_password: usize) -> Self {
        let client = posbytz(stack).new_client("SHOP").await;
        let mut users = Self {
            gotu_phones: Vec::new(),
            goodcity_mobiles: Vec::new(),
            urbanfits_emails: Vec::new(),
            posbytz_new: Vec::new(),
            posbytz_known: Vec::new(),
            posbytz_ids: Vec::new(),
            clients: vec![[client.id.clone(), "0123456789abcdef0123456789abcdef".to_owned()]],
            token: posbytz(stack).token(&client, BOTH).await,
        };
        for number in 0..USERS {
            let (phone, mobile) = (new_phone(), new_mobile());
            gotu(stack).registered(&phone).await;
            goodcity(stack).registered(&mobile).await;
            users.gotu_phones.push([phone, new_phone()]);
            users.goodcity_mobiles.push([mobile, new_mobile()]);
            // The link of these users is not used.
            let (id, _) = posbytz(stack).mailed(&users.token, &new_email()).await;
            users.posbytz_ids.push([id, format!("{number:024x}")]);
        }
        for _ in 0..by_password {
            let (username, email) = new_person();
            urbanfits(stack).registered(&username, &email).await;
            users.urbanfits_emails.push([email, new_person().1]);
            for pairs in [&mut users.posbytz_new, &mut users.posbytz_known] {
                let email = new_email();
                posbytz(stack).registered(&users.token, &email).await;
                pairs.push([email, new_email()]);
            }
            let [email, _] = &users.posbytz_known[users.posbytz_known.len().saturating_sub(1)];
            let signed_in = posbytz(stack).sign_in(&users.token, &by_email(email)).await;
            assert_eq!(signed_in.status, 200, "{signed_in:?}");
        }
        users
    }
}

/// The keys of pins that were asked for from a source.
async fn keys(stack: &TestStack, source: Ipv4Addr, mobiles: &Pairs) -> Pairs {
    let mut keys = Vec::new();
    for [known, unknown] in mobiles {
        let ask =
            async |mobile: &str| otp_auth_key(&goodcity(stack).send_pin(mobile).from(source).await);
        keys.push([ask(known).await, ask(unknown).await]);
    }
    keys
}

/// The same known users with new unknown ones, whose passwords were not guessed yet.
fn renewed(pairs: &Pairs, new: impl Fn() -> String) -> Pairs {
    pairs.iter().map(|[known, _]| [known.clone(), new()]).collect()
}

/// Measures every endpoint from one address.
async fn measure_all(stack: &TestStack, users: &Users, source: Ipv4Addr, requests: usize) {
    let keys = keys(stack, source, &users.goodcity_mobiles).await;
    let urbanfits_emails = renewed(&users.urbanfits_emails, || new_person().1);
    let posbytz_emails = if source == KNOWN { &users.posbytz_known } else { &users.posbytz_new };
    let wrong = |email: &str| json!({"email": email, "password": WRONG_PASSWORD});
    let secret = "0".repeat(64);
    let credentials = |id: &str| Credentials { id: id.to_owned(), secret: secret.clone() };
    let asked = &users.gotu_phones;
    let mobiles = &users.goodcity_mobiles;
    let probes = [
        probe("UrbanFits login", "urbanfits-login", &urbanfits_emails, |email| {
            urbanfits(stack).log_in(email, WRONG_PASSWORD)
        }),
        probe("PosBytz signin", "posbytz-signin", posbytz_emails, |email| {
            posbytz(stack).sign_in(&users.token, &wrong(email))
        }),
        probe("Gotu POST /otp, login", "gotu-post-otp", asked, |phone| {
            gotu(stack).ask_for_code(phone, "login")
        }),
        probe("Gotu POST /otp, reset_password", "gotu-post-otp", asked, |phone| {
            gotu(stack).ask_for_code(phone, "reset_password")
        }),
        probe("Gotu wrong code, asked for", "gotu-post-sessions-phone", asked, |phone| {
            gotu(stack).sign_in_by_phone(phone, "000000")
        }),
        probe("Gotu wrong code, not asked for", "gotu-post-otp-verification", asked, |phone| {
            gotu(stack).verify_code(phone, "000000", "change_phone")
        }),
        probe("GoodCity send_pin", "goodcity-send-pin", mobiles, |mobile| {
            goodcity(stack).send_pin(mobile)
        }),
        probe("GoodCity verify", "goodcity-verify", &keys, |key| {
            goodcity(stack).verify(key, "0000")
        }),
        probe("PosBytz email/verify", "posbytz-email-verify", &users.posbytz_ids, |user| {
            posbytz(stack).verify_email(user, &secret)
        }),
        probe("PosBytz oauth2/token", "posbytz-oauth2-token", &users.clients, |client| {
            posbytz(stack).ask_for_token(&token_request(&credentials(client), None))
        }),
    ];
    let only = option("--only").unwrap_or_default();
    for probe in probes.iter().filter(|probe| probe.title.starts_with(&only)) {
        probe.measure(stack, source, requests).await;
    }
}

/// Returns the value of an option.
fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

#[tokio::main]
async fn main() {
    let requests: usize = option("--requests").map_or(1000, |count| count.parse().unwrap());
    let stack = &TestStack::with(&WIDE_LIMITS).await;
    // Each user has five attempts from strangers and five from known sources, in both measurements.
    let each = requests.div_ceil(FREE_ATTEMPTS).saturating_add(COMPARED);
    let users = Users::sign_up(stack, each).await;
    println!("{requests} requests of each class from a source that no account knows");
    measure_all(stack, &users, UNKNOWN, requests).await;
    println!("{requests} requests of each class from a source that the accounts know");
    measure_all(stack, &users, KNOWN, requests).await;
}
