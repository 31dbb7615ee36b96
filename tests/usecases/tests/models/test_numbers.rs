//! Test numbers: which code is right, and what is sent. No other number ever accepts a fixed code.

use super::compare;
use latchkey::domain::challenge::Purpose;
use latchkey::domain::identifier::Identifier;
use latchkey::domain::phone::{DialCodes, PhoneNumber};
use latchkey::domain::test_numbers::TestNumber;
use latchkey::domain::time::DAY;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use std::time::Duration;
use usecases::{CONTRACT, Core, START};

/// The numbers, their codes, and the days for which they work.
const LISTED: [(&str, &str, u32); 3] =
    [("+85299912345", "482137", 2), ("+85299912346", "913574", 5), ("+447700900123", "482137", 9)];

/// What a request guesses.
#[derive(Clone, Copy, Debug)]
enum Guessed {
    /// The code of an entry of the list.
    Fixed(&'static str),
    /// The code that is derived.
    Derived,
}

/// A request for a code, and a guess at it.
#[derive(Clone, Debug)]
struct Step {
    contract: &'static str,
    purpose: Purpose,
    number: String,
    guessed: Guessed,
    /// The hours that pass before it.
    hours: u64,
}

/// A number of the list, or one that differs from it by a digit.
fn numbers() -> impl Strategy<Value = String> {
    let listed = || select(LISTED.to_vec()).prop_map(|(number, _, _)| number.to_owned());
    let neighbour = (listed(), 2..12_usize, 0..10_u32).prop_map(|(mut number, place, digit)| {
        number.replace_range(place..=place, &digit.to_string());
        number
    });
    let longer = (listed(), 0..10_u32).prop_map(|(number, digit)| format!("{number}{digit}"));
    prop_oneof![3 => listed(), 3 => neighbour, 1 => longer]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let guessed = prop_oneof![
        3 => select(LISTED.map(|(_, code, _)| code).to_vec()).prop_map(Guessed::Fixed),
        1 => Just(Guessed::Derived),
    ];
    let contract = prop_oneof![3 => Just(CONTRACT), 1 => Just("other")];
    let purpose = select(Purpose::ALL.to_vec());
    let step = (contract, purpose, numbers(), guessed, 0..12_u64);
    let step = step.prop_map(|(contract, purpose, number, guessed, hours)| Step {
        contract,
        purpose,
        number,
        guessed,
        hours,
    });
    vec(step, 1..24)
}

fn core() -> Core {
    let numbers = LISTED.map(|(phone, code, days)| TestNumber {
        contract: CONTRACT.to_owned(),
        phone: PhoneNumber::parse(phone).unwrap(),
        code: code.into(),
        until: START.plus(DAY.saturating_mul(days)),
    });
    let core = Core::new().ruled(|rules| {
        rules.sends.countries = DialCodes::All;
        rules.sends.limits.per_hour = 0;
        rules.sources.guesses_per_hour = 0;
        rules.sources.sends_per_hour = 0;
    });
    core.with_test_numbers(numbers.into())
}

/// The code that is fixed now.
fn fixed(core: &Core, step: &Step) -> Option<&'static str> {
    let entry = LISTED.iter().find(|(number, _, _)| *number == step.number)?;
    let (_, code, days) = entry;
    let is_open = core.now() < START.plus(DAY.saturating_mul(*days));
    (step.contract == CONTRACT && is_open).then_some(*code)
}

#[test]
fn only_the_test_number_of_a_contract_accepts_its_fixed_code_until_its_end() {
    compare(&steps(), async |steps| {
        let core = core();
        for step in &steps {
            take(&core, step).await?;
        }
        Ok(())
    });
}

async fn take(all: &Core, step: &Step) -> Result<(), TestCaseError> {
    // Apart from the end of an entry by a minute.
    all.wait(Duration::from_secs(step.hours.saturating_mul(3600).saturating_add(60)));
    let (core, purpose) = (all.of_contract(step.contract), step.purpose);
    let number = Identifier::Phone(PhoneNumber::parse(&step.number).unwrap());
    let before = (core.texts.sent().len(), core.bus.details("test_number_used").len());
    core.request_code(purpose, number.clone()).await.unwrap();
    prop_assert_eq!(core.deliver().await.len(), 0);
    // Without an account, the other purposes send nothing.
    let is_sent = matches!(purpose, Purpose::SignUp | Purpose::ChangePhone);
    let (derived, fixed) = (core.code_of(purpose, number.clone()).await, fixed(&core, step));
    let code = match step.guessed {
        Guessed::Fixed(code) => code,
        Guessed::Derived => &derived,
    };
    let is_right = core.check_code(purpose, number, code).await.is_ok();
    prop_assert_eq!(is_right, is_sent && code == fixed.unwrap_or(&derived), "{:?}", step);
    // The plain contract has no text for a change of the number, and the other contract has none at all.
    let is_text = is_sent && fixed.is_none() && purpose == Purpose::SignUp;
    let texts = usize::from(is_text && step.contract == CONTRACT);
    let events = usize::from(is_sent && fixed.is_some());
    let after = (core.texts.sent().len(), core.bus.details("test_number_used").len());
    prop_assert_eq!(
        after,
        (before.0.saturating_add(texts), before.1.saturating_add(events)),
        "{:?}",
        step
    );
    Ok(())
}
