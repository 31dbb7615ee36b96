//! A model of the sessions of one user, each with the family of its refresh tokens.

use super::compare;
use latchkey::domain::id::UserId;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use std::time::Duration;
use usecases::{Core, Refusal, Session, email};

/// The most sessions of a sequence.
const SESSIONS: usize = 3;

/// A step. A session or a token that does not exist yet makes it a step without effect.
#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn,
    /// Presents a token. The newest one has the age 0.
    Refresh {
        session: usize,
        age: usize,
    },
    SignOut(usize),
    SignOutEverywhere,
    Wait(Duration),
}

/// How long a used token gives its successor again.
const REPEAT: Duration = Duration::from_mins(1);
/// How long a session lasts at most.
const LIFETIME: Duration = Duration::from_hours(90 * 24);

/// One session: its refresh tokens, oldest first. The last one was not exchanged. The one before it
/// was exchanged for the last one, and the others are spent.
#[derive(Debug)]
struct Family {
    opened_at: Duration,
    is_ended: bool,
    /// The time of the last exchange.
    exchanged_at: Duration,
    /// The end of each token.
    tokens: Vec<Duration>,
}

#[derive(Debug, Default)]
struct Model {
    /// The time since the start.
    now: Duration,
    /// The time of the last sign-out of every session. Sessions that were opened earlier are over.
    all_ended_at: Option<Duration>,
    families: Vec<Family>,
}

/// The end of a token that is stored or changed at this time: the first whole second after thirty
/// days.
fn end_of_token(now: Duration) -> Duration {
    Duration::from_secs(now.as_secs().saturating_add(30 * 24 * 3600 + 1))
}

impl Model {
    fn sign_in(&mut self) {
        let tokens = vec![end_of_token(self.now)];
        let opened_at = self.all_ended_at.map_or(self.now, |end| end.max(self.now));
        let exchanged_at = self.now;
        self.families.push(Family { opened_at, is_ended: false, exchanged_at, tokens });
    }

    fn is_open(&self, session: usize) -> bool {
        self.families.get(session).is_some_and(|family| {
            let is_over = self.all_ended_at.is_some_and(|end| family.opened_at < end);
            !family.is_ended && !is_over
        })
    }

    /// Presents the token with this number, counted from 0. Returns the number of its successor.
    fn refresh(&mut self, session: usize, token: usize) -> Result<usize, Refusal> {
        let (now, is_open) = (self.now, self.is_open(session));
        let family = self.families.get_mut(session).ok_or(Refusal::SessionOver)?;
        let is_too_old = family.opened_at.saturating_add(LIFETIME) <= now;
        if is_too_old || family.tokens.get(token).is_none_or(|end| *end <= now) {
            return Err(Refusal::SessionOver);
        }
        let successor = token.saturating_add(1);
        match family.tokens.len().saturating_sub(successor) {
            0 | 1 if !is_open => Err(Refusal::SessionOver),
            0 => {
                // The token, the one before it and the new one all end later now.
                for end in family.tokens.iter_mut().rev().take(2) {
                    *end = end_of_token(now);
                }
                family.tokens.push(end_of_token(now));
                family.exchanged_at = now;
                Ok(successor)
            }
            1 if now < family.exchanged_at.saturating_add(REPEAT) => Ok(successor),
            _ => {
                family.is_ended = true;
                Err(Refusal::SessionOver)
            }
        }
    }
}

/// A session of the core, and its refresh tokens, oldest first.
struct Known {
    session: Session,
    tokens: Vec<String>,
}

/// The core, its user and the sessions.
struct Real {
    core: Core,
    user: UserId,
    known: Vec<Known>,
}

async fn refresh(
    real: &mut Real,
    model: &mut Model,
    (session, age): (usize, usize),
) -> Result<(), TestCaseError> {
    let Some(known) = real.known.get_mut(session) else { return Ok(()) };
    let Some(token) = known.tokens.len().checked_sub(age.saturating_add(1)) else { return Ok(()) };
    let presented = known.tokens.get(token).cloned().unwrap_or_default();
    let refreshed = real.core.refresh(&presented).await;
    let expected = model.refresh(session, token);
    match refreshed {
        Err(refusal) => prop_assert_eq!(Err(refusal), expected),
        Ok(next) => {
            prop_assert_eq!(&next.user, &known.session.user);
            prop_assert_eq!(&next.device, &known.session.device);
            if !known.tokens.contains(&next.refresh_token) {
                known.tokens.push(next.refresh_token.clone());
            }
            let number = known.tokens.iter().position(|token| *token == next.refresh_token);
            prop_assert_eq!(Ok(number), expected.map(Some));
        }
    }
    Ok(())
}

async fn take(step: Step, real: &mut Real, model: &mut Model) -> Result<(), TestCaseError> {
    match step {
        Step::SignIn if real.known.len() < SESSIONS => {
            let session = real.core.sign_in_by_password(email(), "correct horse").await.unwrap();
            let tokens = vec![session.refresh_token.clone()];
            real.known.push(Known { session, tokens });
            model.sign_in();
        }
        Step::SignIn => {}
        Step::Refresh { session, age } => refresh(real, model, (session, age)).await?,
        Step::SignOut(session) => {
            if let Some(known) = real.known.get(session) {
                real.core.sign_out(&known.session).await;
            }
            if let Some(family) = model.families.get_mut(session) {
                family.is_ended = true;
            }
        }
        Step::SignOutEverywhere => {
            real.core.sign_out_everywhere(&real.user).await;
            model.all_ended_at = Some(model.now.saturating_add(Duration::from_millis(1)));
        }
        Step::Wait(span) => {
            real.core.wait(span);
            model.now = model.now.saturating_add(span);
        }
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    let spans = [1, 999, 1000, 59_999, 60_000, 864_000_000, 2_592_000_000];
    let age = prop_oneof![6 => Just(0), 2 => Just(1), 1 => 2..4_usize];
    prop_oneof![
        2 => Just(Step::SignIn),
        8 => (0..SESSIONS, age).prop_map(|(session, age)| Step::Refresh { session, age }),
        1 => (0..SESSIONS).prop_map(Step::SignOut),
        1 => Just(Step::SignOutEverywhere),
        3 => select(spans.to_vec()).prop_map(|span| Step::Wait(Duration::from_millis(span))),
    ]
}

#[test]
fn a_session_family_accepts_and_ends_what_its_model_does() {
    compare(&vec(step(), 1..60), async |steps| {
        let core = Core::new();
        let session = core.sign_up_by_password(email(), "correct horse").await.unwrap();
        let (user, tokens) = (session.user.clone(), vec![session.refresh_token.clone()]);
        let mut real = Real { core, user, known: vec![Known { session, tokens }] };
        let mut model = Model::default();
        model.sign_in();
        for step in steps {
            take(step, &mut real, &mut model).await?;
        }
        // No step opens a session again, so it is enough to look once.
        for (session, known) in real.known.iter().enumerate() {
            prop_assert_eq!(real.core.is_open(&known.session).await, model.is_open(session));
            prop_assert_eq!(known.tokens.len(), model.families[session].tokens.len());
        }
        Ok(())
    });
}
