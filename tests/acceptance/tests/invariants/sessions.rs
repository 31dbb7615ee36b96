//! Sessions: a token is good for its own contract alone, a session ends when its user says so, and a stolen refresh token is
//! found out.

use acceptance::drivers::{Driver, drivers, for_every_contract};
use acceptance::gotu::tokens;
use acceptance::{NO_LIMITS, TestStack, all, gotu};

/// The answers of the endpoints that take an access token.
async fn use_token(driver: &dyn Driver, token: &str) -> Vec<u16> {
    let replies = [driver.who_am_i(token).await, driver.refresh(token).await];
    replies.into_iter().flatten().map(|reply| reply.status).collect()
}

#[tokio::test]
async fn a_token_of_one_contract_is_refused_by_the_others() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    let drivers = drivers(stack).await;
    for owner in &drivers {
        let token = owner.access_token(&owner.signed_up(&owner.new_person()).await);
        for other in drivers.iter().filter(|it| it.facts().name != owner.facts().name) {
            let statuses = use_token(other.as_ref(), &token).await;
            let (owner, other) = (owner.facts().name, other.facts().name);
            assert!(
                statuses.iter().all(|status| *status == 401),
                "{owner} at {other}: {statuses:?}"
            );
        }
        if let Some(reply) = owner.who_am_i(&token).await {
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    }
}

/// GoodCity and PosBytz have no endpoint that ends a session.
#[tokio::test]
async fn a_session_ends_when_its_user_signs_out_and_another_one_stays() {
    let stack = &TestStack::with(&NO_LIMITS).await;
    for_every_contract(stack, async |driver| {
        let person = driver.new_person();
        let first = driver.access_token(&driver.signed_up(&person).await);
        let second = driver.access_token(&driver.sign_in(&person).await);
        let Some(reply) = driver.sign_out(&first).await else { return };
        assert_ne!(first, second);
        assert!(reply.status < 300, "{reply:?}");
        if let Some(reply) = driver.who_am_i(&first).await {
            assert_eq!(reply.status, 401, "{reply:?}");
        }
        if let Some(reply) = driver.who_am_i(&second).await {
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        let reply = driver.sign_out(&second).await.unwrap();
        assert!(reply.status < 300, "{reply:?}");
    })
    .await;
}

/// The number of clients.
const CLIENTS: u64 = 1000;
/// The number of clients for each one that a thief steals from.
const ONE_THIEF_IN: u64 = 5;
/// The number of refreshes of each client.
const TURNS: u32 = 6;
/// The number of clients at the same time.
const AT_ONCE: usize = 40;

/// Random numbers that repeat with their seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(sides).unwrap()
    }
}

/// The model of a family of tokens, which are numbered from 0. A token gives its successor until the successor is used. From
/// then on, using the token ends the family. No client waits so long that a token is too old to be repeated.
#[derive(Default)]
struct Family {
    highest_used: Option<usize>,
    over: bool,
}

impl Family {
    fn present(&mut self, number: usize) -> bool {
        self.over = self.over || self.highest_used.is_some_and(|used| number < used);
        if !self.over {
            self.highest_used = self.highest_used.max(Some(number));
        }
        !self.over
    }
}

/// A client that holds a token of the family.
struct Holder {
    token: String,
    number: usize,
}

#[derive(Clone, Copy, Default)]
struct Outcome {
    requests: u64,
    lost: u64,
    wrongful_sign_outs: u64,
    thefts: u64,
    missed_thefts: u64,
}

/// Presents the holder's token, and requires the answer of the model. A lost answer leaves the holder with the old token.
async fn refresh(stack: &TestStack, holder: &mut Holder, family: &mut Family, lost: bool) -> bool {
    let expected = family.present(holder.number);
    let reply = gotu(stack).refresh(&holder.token).await;
    assert_eq!(reply.status, if expected { 200 } else { 401 }, "{reply:?}");
    if expected && !lost {
        holder.token = tokens(&reply).refresh;
        holder.number = holder.number.saturating_add(1);
    }
    reply.status == 200
}

/// Lets one client refresh for a while.
async fn run_client(stack: &TestStack, number: u64) -> Outcome {
    let mut dice = Dice(number);
    let email = format!("client{number}@example.com");
    let token = tokens(&gotu(stack).sign_up_by_email(&email).await).refresh;
    let mut victim = Holder { token, number: 0 };
    let mut family = Family::default();
    let mut outcome = Outcome::default();
    let stolen_from = number.is_multiple_of(ONE_THIEF_IN);
    let theft_at = u32::try_from(dice.roll(3)).unwrap();
    let mut thief: Option<Holder> = None;
    let mut successes_since_theft = 0_u32;
    for turn in 0..TURNS {
        if stolen_from && turn == theft_at {
            thief = Some(Holder { token: victim.token.clone(), number: victim.number });
            outcome.thefts = 1;
        }
        let lost = dice.roll(10) < 3;
        outcome.requests = outcome.requests.saturating_add(1);
        outcome.lost = outcome.lost.saturating_add(u64::from(lost));
        let refreshed = refresh(stack, &mut victim, &mut family, lost).await;
        if !refreshed {
            if !stolen_from {
                outcome.wrongful_sign_outs = 1;
            }
            return outcome;
        }
        if thief.is_some() && !lost {
            successes_since_theft = successes_since_theft.saturating_add(1);
        }
    }
    if let Some(mut thief) = thief
        && successes_since_theft >= 2
    {
        // The victim refreshed twice before the thief does: from here on, one of them must be out.
        let thief_in = refresh(stack, &mut thief, &mut family, false).await;
        let victim_in = refresh(stack, &mut victim, &mut family, false).await;
        outcome.missed_thefts = u64::from(thief_in && victim_in);
    }
    outcome
}

/// Gotu is the only contract with refresh tokens: the first assertion fails when another one gets them.
#[tokio::test]
async fn a_thousand_clients_are_never_signed_out_wrongly_and_no_theft_is_missed() {
    let env = [
        ("OTP_SENDS_PER_HOUR", "0"),
        ("OTP_SENDS_PER_HOUR_PER_IP", "0"),
        // The hash of a password does not matter here.
        ("ARGON2_MEMORY_KIB", "8"),
        ("ARGON2_ITERATIONS", "1"),
    ];
    let stack = &TestStack::with(&env).await;
    for driver in drivers(stack).await {
        let (name, refreshed) = (driver.facts().name, driver.refresh("no token").await);
        assert_eq!(refreshed.is_some(), name == "gotu", "{name}");
    }
    let mut total = Outcome::default();
    let numbers: Vec<u64> = (0..CLIENTS).collect();
    for some in numbers.chunks(TestStack::at_once(AT_ONCE)) {
        for outcome in all(some.iter().map(|number| run_client(stack, *number))).await {
            total.requests = total.requests.saturating_add(outcome.requests);
            total.lost = total.lost.saturating_add(outcome.lost);
            total.wrongful_sign_outs =
                total.wrongful_sign_outs.saturating_add(outcome.wrongful_sign_outs);
            total.thefts = total.thefts.saturating_add(outcome.thefts);
            total.missed_thefts = total.missed_thefts.saturating_add(outcome.missed_thefts);
        }
    }
    let Outcome { requests, lost, wrongful_sign_outs, thefts, missed_thefts } = total;
    acceptance::say(&format!(
        "{CLIENTS} clients, {requests} refreshes, {lost} answers lost, {thefts} thefts: \
         {wrongful_sign_outs} wrongful sign-outs, {missed_thefts} missed thefts"
    ));
    assert!(lost.saturating_mul(4) > requests, "three answers in ten are lost");
    assert_eq!((wrongful_sign_outs, missed_thefts), (0, 0));
}
