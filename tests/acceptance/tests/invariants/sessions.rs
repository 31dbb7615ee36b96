//! A thousand clients that refresh, lose answers and are stolen from, against a model of what must
//! come of it.

use acceptance::{World, all};
use serde_json::json;

/// Clients in all, and of how many one is stolen from.
const CLIENTS: u64 = 1000;
const ONE_THIEF_IN: u64 = 5;
/// Turns of each client.
const TURNS: u32 = 6;
/// Clients at once.
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

/// What must come of a family of tokens, numbered from 0: a token gives its successor until that
/// one was used too; then everything is over.
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

/// Who holds a token of the family.
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

/// Presents the holder's token, as the model says it must end; a lost answer leaves the holder with
/// the token they have.
async fn refresh(world: &World, holder: &mut Holder, family: &mut Family, lost: bool) -> bool {
    let expected = family.present(holder.number);
    let reply = world.post("/sessions/refresh", &json!({"refreshToken": holder.token})).await;
    assert_eq!(reply.status, if expected { 200 } else { 401 }, "{reply:?}");
    if expected && !lost {
        reply.json()["data"]["refreshToken"].as_str().unwrap().clone_into(&mut holder.token);
        holder.number = holder.number.saturating_add(1);
    }
    reply.status == 200
}

async fn live(world: &World, number: u64) -> Outcome {
    let mut dice = Dice(number);
    let email = format!("client{number}@example.com");
    let reply = world.sign_up_by_email(&email).await;
    let token = reply.json()["data"]["refreshToken"].as_str().unwrap().to_owned();
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
        let refreshed = refresh(world, &mut victim, &mut family, lost).await;
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
        // The victim went on twice, and now the thief comes: one of them must be out from here on.
        let thief_in = refresh(world, &mut thief, &mut family, false).await;
        let victim_in = refresh(world, &mut victim, &mut family, false).await;
        outcome.missed_thefts = u64::from(thief_in && victim_in);
    }
    outcome
}

#[tokio::test]
async fn a_thousand_clients_are_never_signed_out_wrongly_and_no_theft_is_missed() {
    let env = [
        ("OTP_SENDS_PER_HOUR", "0"),
        ("OTP_SENDS_PER_HOUR_PER_IP", "0"),
        // Their passwords are not what this is about.
        ("ARGON2_MEMORY_KIB", "8"),
        ("ARGON2_ITERATIONS", "1"),
    ];
    let world = World::with(&env).await;
    let mut total = Outcome::default();
    let numbers: Vec<u64> = (0..CLIENTS).collect();
    for some in numbers.chunks(AT_ONCE) {
        for outcome in all(some.iter().map(|number| live(&world, *number))).await {
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
