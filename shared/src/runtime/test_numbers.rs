//! Reads the test numbers from the text that the deployment gives (`shared/docs/test-numbers.md`).

use crate::domain::phone::{DialCodes, PhoneNumber};
use crate::domain::test_numbers::{TestNumber, TestNumberError, TestNumbers};
use crate::domain::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What is wrong with the test numbers. It never shows a code.
#[derive(Debug, thiserror::Error)]
pub enum TestNumbersError {
    /// The number of the entry, counted from 1.
    #[error("entry {0} of TEST_NUMBERS is not number=code@contract:YYYY-MM-DD")]
    Entry(usize),
    #[error("TEST_NUMBERS breaks a rule: {0}")]
    Rule(#[from] TestNumberError),
}

/// Reads a list of entries such as `+447700900123=48213@acme:2027-01-31`, separated by commas. An entry ends when
/// its date begins, in UTC.
///
/// # Errors
/// An entry is malformed, or the list breaks a rule.
pub(crate) fn read(
    text: &str,
    countries: &DialCodes,
    now: Timestamp,
) -> Result<TestNumbers, TestNumbersError> {
    let entries = text.split(',').map(str::trim).enumerate();
    let numbers = entries
        .map(|(place, entry)| parse(entry).ok_or(TestNumbersError::Entry(place.saturating_add(1))));
    let numbers: Vec<_> = numbers.collect::<Result<_, _>>()?;
    if !numbers.iter().all(|number| countries.allow(&number.phone)) {
        return Err(TestNumberError::WrongCountry.into());
    }
    Ok(TestNumbers::new(numbers, now)?)
}

fn parse(entry: &str) -> Option<TestNumber> {
    let (phone, rest) = entry.split_once('=')?;
    let (code, rest) = rest.split_once('@')?;
    let (contract, date) = rest.split_once(':')?;
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !contract.is_empty() && contract.bytes().all(|byte| byte.is_ascii_lowercase());
    // Exactly this form: jiff also reads dates without hyphens, and with a time.
    let date = Some(date).filter(|date| date.len() == "YYYY-MM-DD".len())?;
    let until = date.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (is_code && is_name).then_some(TestNumber {
        contract: contract.to_owned(),
        phone: PhoneNumber::parse(phone).ok()?,
        code: code.into(),
        until: Timestamp::from_millis(until.as_millisecond()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    /// 2026-11-28, 12:00 UTC.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_867_200);

    fn error(text: &str) -> String {
        let countries = DialCodes::parse("+44,+1");
        read(text, &countries, NOW).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_list_has_numbers_with_codes_contracts_and_dates() {
        let text = "+447700900123=04821@acme:2026-11-29, +14155550123=482137@other:2020-01-01";
        let numbers = read(text, &DialCodes::All, NOW).unwrap();
        let shown: Vec<_> = numbers
            .iter()
            .map(|it| (it.phone.as_str(), it.code.expose_secret(), &*it.contract, it.until))
            .collect();
        let day = |seconds| Timestamp::from_seconds(seconds);
        assert_eq!(
            shown,
            [
                ("+447700900123", "04821", "acme", day(1_795_910_400)),
                ("+14155550123", "482137", "other", day(1_577_836_800)),
            ]
        );
        assert_eq!(numbers.open(NOW), 1);
    }

    #[test]
    fn the_error_names_the_entry_or_the_rule() {
        for malformed in [
            "+447700900123",
            "+447700900123=48213",
            "+447700900123=48213@acme",
            "+447700900123=48213@acme:",
            "+447700900123=48213@acme:2026-13-01",
            "+447700900123=48213@acme:20261201",
            "+447700900123=48213@acme:2026-12-1",
            "+447700900123=@acme:2026-12-01",
            "+447700900123=4821a@acme:2026-12-01",
            "+447700900123=48213@:2026-12-01",
            "+447700900123=48213@Acme:2026-12-01",
            "447700900123=48213@acme:2026-12-01",
            "",
        ] {
            let expected = "entry 1 of TEST_NUMBERS is not number=code@contract:YYYY-MM-DD";
            assert_eq!(error(malformed), expected, "{malformed:?}");
        }
        let good = "+447700900123=48213@acme:2026-12-01";
        assert_eq!(error(good), "");
        assert!(error(&format!("{good},")).starts_with("entry 2 "));
        for (text, rule) in [
            ("+85299912345=48213@acme:2026-12-01", TestNumberError::WrongCountry),
            ("+447911123456=48213@acme:2026-12-01", TestNumberError::NotReserved),
            ("+447700900123=12345@acme:2026-12-01", TestNumberError::CommonCode),
            ("+447700900123=48213@acme:2027-02-27", TestNumberError::TooLate),
        ] {
            assert_eq!(error(text), format!("TEST_NUMBERS breaks a rule: {rule}"));
        }
        assert_eq!(error("+447700900123=48213@acme:2027-02-26"), "");
    }
}
