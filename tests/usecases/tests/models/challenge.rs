//! A model of challenges: two recipients, one source, and the limits of sends and guesses.

use super::compare;
use latchkey::domain::challenge::Purpose::SignUp;
use latchkey::domain::identifier::Identifier;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use std::time::Duration;
use usecases::{Core, Refusal, Rules, other_phone, phone, wrong};

/// The limits of a sequence. A zero of `per_hour`, `sends_of_source` or `guesses_of_source` switches
/// the limit off.
#[derive(Clone, Copy, Debug)]
struct Limits {
    lifetime: Duration,
    pause: Duration,
    per_hour: u32,
    per_day: u32,
    guesses: u32,
    sends_of_source: u32,
    guesses_of_source: u32,
}

impl Limits {
    fn apply_to(self, rules: &mut Rules) {
        rules.sends.code_lifetime = self.lifetime;
        rules.sends.limits.pause = self.pause;
        rules.sends.limits.per_hour = self.per_hour;
        rules.sends.limits.per_day = self.per_day;
        rules.sources.sends_per_hour = self.sends_of_source;
        rules.guesses.per_code = self.guesses;
        rules.sources.guesses_per_hour = self.guesses_of_source;
    }
}

#[derive(Clone, Copy, Debug)]
enum Recipient {
    One,
    Other,
}

impl Recipient {
    fn phone(self) -> Identifier {
        match self {
            Self::One => phone(),
            Self::Other => other_phone(),
        }
    }
}

/// What the caller types.
#[derive(Clone, Copy, Debug)]
enum Typed {
    /// The code of the last request.
    Newest,
    /// The code of the request before it.
    Older,
    /// A code that was never sent.
    Wrong,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Request(Recipient),
    /// Checks a code without using it up.
    Check(Recipient, Typed),
    /// Checks a code and uses it up.
    Prove(Recipient, Typed),
    Wait(Duration),
}

/// A count that starts again in each window of time.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    window: u64,
    used: i64,
}

impl Count {
    fn used_in(self, window: u64) -> i64 {
        if self.window == window { self.used } else { 0 }
    }

    fn add_in(&mut self, window: u64) {
        *self = Self { window, used: self.used_in(window).saturating_add(1) };
    }

    fn give_back_in(&mut self, window: u64) {
        *self = Self { window, used: self.used_in(window).saturating_sub(1) };
    }
}

#[derive(Debug)]
struct Code {
    text: String,
    ends_at: Duration,
    guesses: u32,
}

/// One recipient: the code, and the sends so far.
#[derive(Debug, Default)]
struct Challenge {
    code: Option<Code>,
    sent_at: Option<Duration>,
    in_hour: Count,
    /// The sends of the day since a code was last used.
    in_day: Count,
}

#[derive(Debug)]
struct Model {
    limits: Limits,
    /// The time since the midnight before the start.
    now: Duration,
    one: Challenge,
    other: Challenge,
    sends_of_source: Count,
    guesses_of_source: Count,
}

impl Model {
    fn new(limits: Limits) -> Self {
        let now = Duration::from_hours(9);
        let (one, other) = (Challenge::default(), Challenge::default());
        let (sends_of_source, guesses_of_source) = (Count::default(), Count::default());
        Self { limits, now, one, other, sends_of_source, guesses_of_source }
    }

    fn hour(&self) -> u64 {
        self.now.as_secs() / 3600
    }

    fn day(&self) -> u64 {
        self.hour() / 24
    }

    fn end_of_hour(&self) -> Duration {
        Duration::from_hours(self.hour().saturating_add(1))
    }

    fn end_of_day(&self) -> Duration {
        Duration::from_hours(self.day().saturating_add(1).saturating_mul(24))
    }

    fn too_many_until(&self, end: Duration) -> Refusal {
        Refusal::TooMany { retry_after: end.saturating_sub(self.now) }
    }

    fn of(&mut self, recipient: Recipient) -> &mut Challenge {
        match recipient {
            Recipient::One => &mut self.one,
            Recipient::Other => &mut self.other,
        }
    }

    /// The end of the longest wait that a limit of the recipient asks for.
    fn wait_of(&mut self, recipient: Recipient) -> Option<Duration> {
        let Limits { pause, per_hour, per_day, .. } = self.limits;
        let (now, hour, day) = (self.now, self.hour(), self.day());
        let (end_of_hour, end_of_day) = (self.end_of_hour(), self.end_of_day());
        let sends = self.of(recipient);
        let pause = sends.sent_at.map(|sent_at| sent_at.saturating_add(pause));
        let ends = [
            pause.filter(|end| *end > now),
            (sends.in_hour.used_in(hour) >= i64::from(per_hour)).then_some(end_of_hour),
            (sends.in_day.used_in(day) >= i64::from(per_day)).then_some(end_of_day),
        ];
        ends.into_iter().flatten().max().filter(|_| per_hour > 0)
    }

    fn request(&mut self, recipient: Recipient) -> Result<(), Refusal> {
        let (now, hour, day, limit) =
            (self.now, self.hour(), self.day(), self.limits.sends_of_source);
        if limit > 0 && self.sends_of_source.used_in(hour) >= i64::from(limit) {
            return Err(self.too_many_until(self.end_of_hour()));
        }
        if let Some(end) = self.wait_of(recipient) {
            return Err(self.too_many_until(end));
        }
        self.sends_of_source.add_in(hour);
        let sends = self.of(recipient);
        sends.sent_at = Some(now);
        sends.in_hour.add_in(hour);
        sends.in_day.add_in(day);
        Ok(())
    }

    /// Replaces the code of the recipient.
    fn sent(&mut self, recipient: Recipient, text: String) {
        let ends_at = self.now.saturating_add(self.limits.lifetime);
        self.of(recipient).code = Some(Code { text, ends_at, guesses: 0 });
    }

    /// Returns whether the source has made so many times its limit of guesses.
    fn is_source_spent(&self, times: i64) -> bool {
        let limit = i64::from(self.limits.guesses_of_source);
        let used = self.guesses_of_source.used_in(self.hour());
        limit > 0 && used >= limit.saturating_mul(times)
    }

    fn check(&mut self, recipient: Recipient, typed: &str) -> Result<(), Refusal> {
        let (now, hour, most) = (self.now, self.hour(), self.limits.guesses);
        let (is_spent, is_exhausted) = (self.is_source_spent(1), self.is_source_spent(2));
        let spent = self.too_many_until(self.end_of_hour());
        let code = self.of(recipient).code.as_mut().filter(|code| code.ends_at > now);
        // A source whose budget is spent has the first guess at a code that it asked for.
        let most = if is_spent { 1 } else { most };
        if is_exhausted || (is_spent && code.is_none()) {
            return Err(spent);
        }
        let refusal = match code.filter(|code| code.guesses < most) {
            None => Some(Refusal::NoCode),
            Some(code) => {
                code.guesses = code.guesses.saturating_add(1);
                (code.text != typed).then_some(Refusal::WrongCode)
            }
        };
        self.guesses_of_source.add_in(hour);
        refusal.map_or(Ok(()), |refusal| Err(if is_spent { spent } else { refusal }))
    }

    fn prove(&mut self, recipient: Recipient, typed: &str) -> Result<(), Refusal> {
        self.check(recipient, typed)?;
        let hour = self.hour();
        self.guesses_of_source.give_back_in(hour);
        let sent_at = self.of(recipient).sent_at.unwrap_or_default();
        // The send is given back in the hour in which it was counted.
        if sent_at.as_secs() / 3600 == hour {
            self.sends_of_source.give_back_in(hour);
        }
        let challenge = self.of(recipient);
        challenge.code = None;
        challenge.in_day = Count::default();
        Ok(())
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let pause = select(vec![Duration::ZERO, Duration::from_secs(30)]);
    let per_hour = select(vec![0, 2, 3, 10]);
    let of_source = || select(vec![0, 3, 10]);
    (pause, per_hour, 1..4_u32, 1..4_u32, of_source(), of_source()).prop_map(
        |(pause, per_hour, per_day, guesses, sends_of_source, guesses_of_source)| Limits {
            lifetime: Duration::from_mins(5),
            pause,
            per_hour,
            per_day,
            guesses,
            sends_of_source,
            guesses_of_source,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let recipient = || prop_oneof![3 => Just(Recipient::One), 1 => Just(Recipient::Other)];
    let typed =
        || prop_oneof![4 => Just(Typed::Newest), 1 => Just(Typed::Older), 2 => Just(Typed::Wrong)];
    let spans = [1, 29_999, 30_000, 299_999, 300_000, 3_600_000, 86_400_000];
    prop_oneof![
        4 => recipient().prop_map(Step::Request),
        3 => (recipient(), typed()).prop_map(|(recipient, typed)| Step::Check(recipient, typed)),
        3 => (recipient(), typed()).prop_map(|(recipient, typed)| Step::Prove(recipient, typed)),
        3 => select(spans.to_vec()).prop_map(|span| Step::Wait(Duration::from_millis(span))),
    ]
}

/// The core, and the codes that it sent.
struct Real {
    core: Core,
    to_one: Vec<String>,
    to_other: Vec<String>,
}

impl Real {
    fn sent_to(&mut self, recipient: Recipient) -> &mut Vec<String> {
        match recipient {
            Recipient::One => &mut self.to_one,
            Recipient::Other => &mut self.to_other,
        }
    }

    /// Returns the text that the caller types. Before any code, it is a code that was never sent.
    fn text(&mut self, recipient: Recipient, typed: Typed) -> String {
        let mut sent = self.sent_to(recipient).iter().rev();
        let newest = sent.next().map_or("123456", String::as_str);
        match typed {
            Typed::Newest => newest.to_owned(),
            Typed::Older => sent.next().map_or("654321", String::as_str).to_owned(),
            Typed::Wrong => wrong(newest),
        }
    }
}

async fn take(step: Step, real: &mut Real, model: &mut Model) -> Result<(), TestCaseError> {
    // Each request reaches another process.
    real.core = real.core.in_new_process();
    match step {
        Step::Request(recipient) => {
            let requested = real.core.request_code(SignUp, recipient.phone()).await;
            prop_assert_eq!(&requested, &model.request(recipient));
            if requested.is_ok() {
                let code = real.core.code_of(SignUp, recipient.phone()).await;
                model.sent(recipient, code.clone());
                real.sent_to(recipient).push(code);
            }
        }
        Step::Check(recipient, typed) => {
            let text = real.text(recipient, typed);
            let checked = real.core.check_code(SignUp, recipient.phone(), &text).await;
            prop_assert_eq!(checked, model.check(recipient, &text));
        }
        Step::Prove(recipient, typed) => {
            let text = real.text(recipient, typed);
            let proof = real.core.prove(SignUp, recipient.phone(), &text).await;
            prop_assert_eq!(proof.map(|_| ()), model.prove(recipient, &text));
        }
        Step::Wait(span) => {
            real.core.wait(span);
            model.now = model.now.saturating_add(span);
        }
    }
    Ok(())
}

#[test]
fn a_challenge_accepts_and_refuses_what_its_model_does() {
    compare(&(limits(), vec(step(), 1..80)), async |(limits, steps)| {
        let core = Core::new().ruled(|rules| limits.apply_to(rules));
        let (to_one, to_other) = (Vec::new(), Vec::new());
        let (mut real, mut model) = (Real { core, to_one, to_other }, Model::new(limits));
        for step in steps {
            take(step, &mut real, &mut model).await?;
        }
        for recipient in [Recipient::One, Recipient::Other] {
            let has_code = real.core.has_code(SignUp, recipient.phone()).await;
            prop_assert_eq!(has_code, model.of(recipient).code.is_some());
        }
        Ok(())
    });
}
