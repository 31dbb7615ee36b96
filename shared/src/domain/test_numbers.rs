//! Test numbers: phone numbers that no person can have, each with a fixed code, for the reviewers of app
//! stores (`shared/docs/test-numbers.md`).

use super::challenge::ChallengeKey;
use super::code::{CodeFormat, OneTimeCode};
use super::event::{EventIds, Fact};
use super::identifier::Identifier;
use super::phone::PhoneNumber;
use super::time::{DAY, Timestamp};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The most entries of a list.
const MOST: usize = 10;
/// The longest time from the start of a process to the end of an entry.
const LONGEST: Duration = DAY.saturating_mul(90);

/// A number with its code, for one contract.
#[derive(Clone, Debug)]
pub struct TestNumber {
    pub contract: String,
    pub phone: PhoneNumber,
    pub code: SecretString,
    /// The end. Afterwards the number is like any other.
    pub until: Timestamp,
}

/// The rule that a list of test numbers breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TestNumberError {
    #[error("a list has at most 10 test numbers")]
    TooMany,
    #[error("a test number must be in a range that no person can have")]
    NotReserved,
    #[error("the code of a test number must not be one that is guessed first")]
    CommonCode,
    #[error("a contract may name a test number only once")]
    Repeated,
    #[error("a test number must end within 90 days")]
    TooLate,
    #[error("the code of a test number must have the digits and the range of its contract's codes")]
    WrongFormat,
    #[error("the contract of a test number must exist")]
    UnknownContract,
    #[error("a test number must be in a country that texts may go to")]
    WrongCountry,
}

/// A list of test numbers that follows the rules.
#[derive(Clone, Debug, Default)]
pub struct TestNumbers(Arc<[TestNumber]>);

impl TestNumbers {
    /// Returns the list. An entry that has ended is no mistake.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn new(numbers: Vec<TestNumber>, now: Timestamp) -> Result<Self, TestNumberError> {
        if numbers.len() > MOST {
            return Err(TestNumberError::TooMany);
        }
        for (place, number) in numbers.iter().enumerate() {
            let mut before = numbers.iter().take(place);
            if !is_reserved(&number.phone) {
                return Err(TestNumberError::NotReserved);
            }
            if is_common(number.code.expose_secret()) {
                return Err(TestNumberError::CommonCode);
            }
            if before.any(|it| it.is(&number.contract, &number.phone)) {
                return Err(TestNumberError::Repeated);
            }
            if number.until > now.plus(LONGEST) {
                return Err(TestNumberError::TooLate);
            }
        }
        Ok(Self(numbers.into()))
    }

    /// Returns the list if each code that belongs to the contract has its format.
    ///
    /// # Errors
    /// [`TestNumberError::WrongFormat`].
    pub fn fitting(self, contract: &str, format: CodeFormat) -> Result<Self, TestNumberError> {
        let fits = self
            .iter()
            .all(|number| number.contract != contract || format.has(number.code.expose_secret()));
        if fits { Ok(self) } else { Err(TestNumberError::WrongFormat) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &TestNumber> {
        self.0.iter()
    }

    /// Returns the number of entries that have not ended.
    #[must_use]
    pub fn open(&self, now: Timestamp) -> u64 {
        self.iter().filter(|number| now < number.until).map(|_| 1_u64).sum()
    }

    /// Returns the entry of the recipient of a challenge, unless it has ended.
    #[must_use]
    pub fn of(&self, key: &ChallengeKey, now: Timestamp) -> Option<&TestNumber> {
        let number = self.listed(key.realm.contract(), &key.recipient)?;
        (now < number.until).then_some(number)
    }

    /// Returns whether a fact tells that its user has a test number, also one that has ended.
    #[must_use]
    pub fn is_about(&self, fact: &Fact) -> bool {
        // Nearly all stacks have none.
        !self.0.is_empty()
            && fact
                .phone()
                .is_some_and(|(realm, phone)| self.listed(realm.contract(), phone).is_some())
    }

    fn listed(&self, contract: &str, recipient: &Identifier) -> Option<&TestNumber> {
        let Identifier::Phone(phone) = recipient else { return None };
        self.iter().find(|number| number.is(contract, phone))
    }
}

impl TestNumber {
    fn is(&self, contract: &str, phone: &PhoneNumber) -> bool {
        self.contract == contract && self.phone == *phone
    }

    /// The code that is accepted in the place of the derived one.
    #[must_use]
    pub fn fixed_code(&self) -> OneTimeCode {
        OneTimeCode::fixed(self.code.clone())
    }
}

/// Returns the ids of the event about a code of an outbox entry. They are the same each time, so an entry that comes
/// again causes no other event.
#[must_use]
pub fn event_ids(entry_id: &str) -> EventIds {
    let hash = digest(&SHA256, format!("test-number#{entry_id}").as_bytes());
    EventIds::new(hash.as_ref().first_chunk().copied().unwrap_or_default())
}

/// Returns whether no person can have the number.
fn is_reserved(phone: &PhoneNumber) -> bool {
    let digits = phone.as_str();
    let rest = |prefix: &str, length: usize| {
        digits.strip_prefix(prefix).filter(|rest| rest.len() == length)
    };
    // Numbers for drama (Ofcom, "Telephone numbers for use in TV and radio drama programmes"): the
    // mobile numbers 07700 900000 to 900999.
    let is_drama = rest("+447700900", 3).is_some();
    // Fictional numbers (ATIS-0300115, "555 NXX Assignment Guidelines"): 555-0100 to 555-0199 of each area code.
    // The area codes 8NN belong to free calls, which have fewer of them.
    let is_fiction = rest("+1", 10).is_some_and(|number| {
        let (area, line) = number.split_at_checked(3).unwrap_or_default();
        let is_free_call = area.starts_with('8') && area.get(1..2) == area.get(2..3);
        area.starts_with(|first: char| ('2'..='9').contains(&first))
            && !is_free_call
            && line.starts_with("55501")
    });
    // 999 is the number for emergencies in Hong Kong, so no subscriber's number begins with it (OFCA, "The
    // Numbering Plan for Telecommunications Services in Hong Kong").
    let is_emergency = rest("+852999", 5).is_some();
    is_drama || is_fiction || is_emergency
}

/// Returns whether a code is guessed first: one digit or a group of digits again and again, a row of
/// digits in either direction, or the middle column of a keypad.
fn is_common(code: &str) -> bool {
    let digits = code.as_bytes();
    let half = digits.len().div_euclid(2);
    let is_repeated = (1..=half).any(|length| {
        digits.iter().zip(digits.iter().skip(length)).all(|(digit, later)| digit == later)
    });
    let is_row = |step: u8| {
        let pairs = digits.iter().zip(digits.iter().skip(1));
        pairs
            .map(|(one, next)| next.wrapping_add(10).wrapping_sub(*one))
            .all(|apart| apart.checked_rem(10) == Some(step))
    };
    is_repeated || is_row(1) || is_row(9) || ["2580", "0852"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::challenge::Purpose;
    use crate::domain::realm::Realm;

    const PHONE: &str = "+447700900123";

    fn at(days: u32) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).plus(DAY.saturating_mul(days))
    }

    fn number(phone: &str, code: &str, days: u32) -> TestNumber {
        let (contract, phone) = ("plain".to_owned(), PhoneNumber::parse(phone).unwrap());
        TestNumber { contract, phone, code: code.into(), until: at(days) }
    }

    fn list(numbers: Vec<TestNumber>) -> Result<TestNumbers, TestNumberError> {
        TestNumbers::new(numbers, at(0))
    }

    #[test]
    fn a_test_number_is_in_a_reserved_range() {
        for phone in [
            "+447700900000",
            "+447700900999",
            "+14155550100",
            "+14155550199",
            "+18105550123",
            "+85299900000",
            "+85299999999",
        ] {
            assert!(list(vec![number(phone, "48213", 1)]).is_ok(), "{phone}");
        }
        for phone in [
            "+447700899999",
            "+447700901000",
            "+4477009001234",
            "+14155550099",
            "+14155550200",
            "+14155560123",
            "+11155550123",
            "+18005550123",
            "+18885550123",
            "+141555501230",
            "+85299812345",
            "+8529991234",
            "+6282243350992",
            "+447911123456",
        ] {
            let refused = list(vec![number(phone, "48213", 1)]).err();
            assert_eq!(refused, Some(TestNumberError::NotReserved), "{phone}");
        }
    }

    #[test]
    fn a_code_that_is_guessed_first_is_refused() {
        for code in [
            "0000", "99999", "1234", "123456", "4321", "7890", "0987", "1212", "123123", "12121",
            "2580", "0852",
        ] {
            let refused = list(vec![number(PHONE, code, 1)]).err();
            assert_eq!(refused, Some(TestNumberError::CommonCode), "{code}");
        }
        for code in ["4821", "1357", "1233", "48213", "100001", "123457"] {
            assert!(list(vec![number(PHONE, code, 1)]).is_ok(), "{code}");
        }
    }

    #[test]
    fn a_list_has_ten_numbers_each_once_for_90_days() {
        let numbers = |count: usize| {
            let phones = (0..count).map(|count| format!("+4477009001{count:02}"));
            phones.map(|phone| number(&phone, "48213", 90)).collect::<Vec<_>>()
        };
        assert!(list(numbers(10)).is_ok());
        assert_eq!(list(numbers(11)).err(), Some(TestNumberError::TooMany));
        let twice = vec![number(PHONE, "48213", 1), number(PHONE, "48214", 2)];
        assert_eq!(list(twice).err(), Some(TestNumberError::Repeated));
        let mut other = number(PHONE, "48213", 1);
        other.contract = "other".to_owned();
        assert!(list(vec![number(PHONE, "48213", 1), other]).is_ok());
        let mut late = number(PHONE, "48213", 90);
        late.until = late.until.plus(Duration::from_millis(1));
        assert_eq!(list(vec![late]).err(), Some(TestNumberError::TooLate));
    }

    #[test]
    fn a_code_has_the_format_of_its_contract() {
        let five = CodeFormat::all_of(5);
        let six = CodeFormat { digits: 6, lowest: 100_000, count: 900_000 };
        let fits = |code: &str, format| {
            list(vec![number(PHONE, code, 1)]).unwrap().fitting("plain", format).is_ok()
        };
        assert!(fits("04821", five) && fits("482137", six) && fits("999998", six));
        assert!(!fits("4821", five) && !fits("482137", five));
        assert!(!fits("048213", six), "it is below the range");
        assert!(list(vec![number(PHONE, "4821", 1)]).unwrap().fitting("other", five).is_ok());
    }

    #[test]
    fn an_entry_counts_until_its_end_for_its_contract_and_number() {
        let listed = list(vec![number(PHONE, "48213", 2), number("+447700900124", "48213", 5)]);
        let listed = listed.unwrap();
        let is_test = |contract: &str, kind: &str, recipient: &str, now| {
            let recipient = Identifier::from_parts(kind, recipient).unwrap();
            let key = ChallengeKey::new(Realm::of_contract(contract), Purpose::SignIn, recipient);
            listed.of(&key, now).is_some()
        };
        let before_end = at(2).minus(Duration::from_millis(1));
        assert!(is_test("plain", "phone", PHONE, before_end));
        assert!(!is_test("plain", "phone", PHONE, at(2)));
        assert!(!is_test("other", "phone", PHONE, at(0)));
        assert!(!is_test("plain", "phone", "+447700900125", at(0)));
        assert!(!is_test("plain", "email", "a@example.com", at(0)));
        assert_eq!([at(0), at(2), at(5)].map(|now| listed.open(now)), [2, 1, 0]);
    }

    #[test]
    fn the_code_is_not_shown() {
        let shown = format!("{:?}", list(vec![number(PHONE, "48213", 1)]).unwrap());
        assert!(!shown.contains("48213") && !shown.contains(PHONE), "{shown}");
    }
}
