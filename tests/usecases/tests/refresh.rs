//! Refreshing a session.

use std::time::Duration;
use usecases::{Core, Refusal, START, Session, number, phone};

const MONTH: Duration = Duration::from_hours(30 * 24);
/// How long a used token gives its successor again.
const REPEAT: Duration = Duration::from_mins(1);
/// How long a session lasts at most.
const LIFETIME: Duration = Duration::from_hours(90 * 24);

/// Returns a core with one session.
async fn core_with_a_session() -> (Core, Session) {
    let core = Core::new();
    let session = core.signed_up_by_code(phone()).await;
    (core, session)
}

#[tokio::test]
async fn a_token_is_exchanged_for_its_successor() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    assert_eq!((&next.user, &next.device), (&session.user, &session.device));
    assert_ne!(next.refresh_token, session.refresh_token);
    let third = core.refresh(&next.refresh_token).await.unwrap();
    assert_ne!(third.refresh_token, next.refresh_token);
}

#[tokio::test]
async fn a_token_gives_the_same_successor_for_a_minute() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    // A repetition does not begin another minute.
    core.wait(REPEAT / 2);
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.wait_until_just_before(START, REPEAT);
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_used_a_minute_ago_ends_the_session() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.wait(REPEAT);
    let over = Err(Refusal::SessionOver);
    assert_eq!(core.refresh(&session.refresh_token).await, over);
    // Whoever holds the successor is signed out too, and one event says why.
    assert_eq!(core.refresh(&next.refresh_token).await, over);
    assert_eq!(core.refresh(&session.refresh_token).await, over);
    assert!(!core.is_open(&session).await);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["token_reused"]);
}

#[tokio::test]
async fn a_token_that_an_older_version_used_is_repeated_as_long() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.forget_times_of_use();
    core.wait_until_just_before(START, REPEAT);
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next));
    // The older version stored the time in whole seconds, rounded up.
    core.wait(Duration::from_secs(2));
    assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime_however_often_it_is_refreshed() {
    let (core, session) = core_with_a_session().await;
    let mut token = session.refresh_token;
    for weeks in 1..13 {
        core.wait_until_just_before(START, Duration::from_hours(weeks * 7 * 24));
        token = core.refresh(&token).await.unwrap().refresh_token;
    }
    core.wait_until_just_before(START, LIFETIME);
    let last = core.refresh(&token).await.unwrap().refresh_token;
    core.wait_past(Duration::ZERO);
    // Neither the new token nor a repetition works.
    for token in [&last, &token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
    core.deliver().await;
    let none: [&str; 0] = [];
    assert_eq!(core.bus.details("session_ended"), none);
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_the_session() {
    let (core, session) = core_with_a_session().await;
    let second = core.refresh(&session.refresh_token).await.unwrap();
    let third = core.refresh(&second.refresh_token).await.unwrap();
    let over = Err(Refusal::SessionOver);
    assert_eq!(core.refresh(&session.refresh_token).await, over);
    for token in [&second.refresh_token, &third.refresh_token] {
        assert_eq!(core.refresh(token).await, over);
    }
    assert!(!core.is_open(&session).await);
    core.deliver().await;
    assert_eq!(core.bus.details("session_ended"), ["token_reused"]);
}

#[tokio::test]
async fn a_copied_token_ends_one_session_only() {
    let (core, session) = core_with_a_session().await;
    let code = core.requested_code(latchkey::domain::challenge::Purpose::SignIn, phone()).await;
    let other = core.sign_in_by_code(phone(), &code).await.unwrap();
    let second = core.refresh(&session.refresh_token).await.unwrap();
    core.refresh(&second.refresh_token).await.unwrap();
    core.refresh(&session.refresh_token).await.unwrap_err();
    core.refresh(&other.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_text_that_is_no_stored_token_is_refused() {
    let (core, _) = core_with_a_session().await;
    for token in ["", "short", &"0".repeat(52), &"z".repeat(52)] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver), "{token}");
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_without_a_refresh() {
    let (core, session) = core_with_a_session().await;
    core.wait_until_just_before(START, MONTH);
    let next = core.refresh(&session.refresh_token).await.unwrap();
    // The refresh began another thirty days.
    core.wait_until_just_before(core.now(), MONTH);
    let last = core.refresh(&next.refresh_token).await.unwrap();
    core.wait_past(MONTH);
    assert_eq!(core.refresh(&last.refresh_token).await, Err(Refusal::SessionOver));
    assert_eq!(core.refresh(&next.refresh_token).await, Err(Refusal::SessionOver));
}

#[tokio::test]
async fn the_tokens_of_a_session_that_was_ended_are_refused() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.sign_out(&session).await;
    // One token was used and one was not.
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_the_tokens_too() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.tick();
    core.sign_out_everywhere(&session.user).await;
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn the_claims_of_a_session_survive_its_refresh() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    let claims = core.refreshed_claims(&next.refresh_token).await.unwrap();
    // Of the attributes of the user, the contract names one.
    let claims: Vec<_> =
        claims.iter().map(|(name, value)| (name, value.as_str().unwrap())).collect();
    assert_eq!(claims, [("plan", "free")]);
}

#[tokio::test]
async fn of_two_requests_with_the_same_token_both_get_the_same_successor() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        rival.refresh(&token).await.unwrap();
    });
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_token_whose_successor_is_used_during_the_refresh_is_refused() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        let next = rival.refresh(&token).await.unwrap();
        rival.refresh(&next.refresh_token).await.unwrap();
    });
    assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
    core.expect_interrupted();
}

#[tokio::test]
async fn a_session_that_ends_during_the_refresh_is_over() {
    let (core, session) = core_with_a_session().await;
    let same = session.clone();
    core.interrupt(0, async move |rival| rival.sign_out(&same).await);
    assert_eq!(core.refresh(&session.refresh_token).await, Err(Refusal::SessionOver));
    core.expect_interrupted();
}

#[tokio::test]
async fn the_session_of_a_user_that_is_deleted_is_over() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.delete_user(&session.user);
    for token in [&session.refresh_token, &next.refresh_token] {
        assert_eq!(core.refresh(token).await, Err(Refusal::SessionOver));
    }
}

#[tokio::test]
async fn a_successor_survives_a_rotation_of_the_keys() {
    let (core, session) = core_with_a_session().await;
    let next = core.refresh(&session.refresh_token).await.unwrap();
    let core = core.rotated();
    // The answer was lost, and the key was rotated in the meantime.
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn of_two_requests_with_different_keys_both_get_the_same_successor() {
    let (core, session) = core_with_a_session().await;
    let token = session.refresh_token.clone();
    core.interrupt(0, async move |rival| {
        rival.refresh(&token).await.unwrap();
    });
    let core = core.rotated();
    let next = core.refresh(&session.refresh_token).await.unwrap();
    core.expect_interrupted();
    assert_eq!(core.refresh(&session.refresh_token).await, Ok(next.clone()));
    core.refresh(&next.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_successor_whose_key_has_left_the_ring_is_a_failure() {
    let (core, session) = core_with_a_session().await;
    core.refresh(&session.refresh_token).await.unwrap();
    let failure = "failed to derive a refresh token: the key is not in the ring";
    let refused = core.rotated_twice().refresh(&session.refresh_token).await;
    assert_eq!(refused, Err(Refusal::Internal(failure.to_owned())));
}

/// A client whose answers are often lost.
struct Client {
    token: String,
    /// The tokens that it has exchanged.
    used: Vec<String>,
}

impl Client {
    /// Sends the token, and remembers the answer unless it is lost. Returns whether it arrived. The
    /// session must be open.
    async fn refresh(&mut self, core: &Core, is_lost: bool) -> bool {
        let next = core.refresh(&self.token).await.unwrap().refresh_token;
        if !is_lost {
            self.used.push(std::mem::replace(&mut self.token, next));
        }
        !is_lost
    }

    /// Exchanges the token. An answer that is lost is asked for again after 1, 2, 4, … seconds, the
    /// last time after 31 in all. Returns the number of lost answers.
    async fn refresh_until_answered(
        &mut self,
        core: &Core,
        mut is_lost: impl FnMut() -> bool,
    ) -> u32 {
        for lost in 0..5 {
            if self.refresh(core, is_lost()).await {
                return lost;
            }
            core.wait(Duration::from_secs(1 << lost));
        }
        self.refresh(core, false).await;
        5
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "figures are printed")]
async fn of_a_thousand_clients_with_lost_answers_none_is_signed_out_and_no_copy_is_accepted() {
    const CLIENTS: u32 = 1000;
    let core = Core::new().ruled(|rules| rules.sources.sends_per_hour = 0);
    // Three answers in ten are lost.
    let mut dice = 0_u32;
    let mut is_lost = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 16) % 10 < 3
    };
    let (mut refreshes, mut lost, mut accepted) = (0_u32, 0_u32, 0_u32);
    for index in 0..CLIENTS {
        let session = core.signed_up_by_code(number(&format!("+8526{index:07}"))).await;
        let mut client = Client { token: session.refresh_token, used: Vec::new() };
        for _ in 0..4 {
            core.wait(Duration::from_mins(15));
            lost += client.refresh_until_answered(&core, &mut is_lost).await;
            refreshes += 1;
        }
        // An attacker finds one of the used tokens a minute later.
        core.wait(REPEAT);
        let copy = &client.used[usize::try_from(index % 4).unwrap()];
        accepted += u32::from(core.refresh(copy).await.is_ok());
        assert_eq!(core.refresh(&client.token).await, Err(Refusal::SessionOver));
    }
    println!(
        "{CLIENTS} clients, {refreshes} refreshes, {lost} answers lost: wrongful sign-outs 0, \
         replays after the window accepted {accepted}"
    );
    assert!(lost > refreshes / 3, "{lost} of {refreshes}");
    assert_eq!(accepted, 0);
}
