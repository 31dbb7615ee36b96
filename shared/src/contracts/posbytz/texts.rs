//! What PosBytz's messages say: one function for each locale of [`TEXTS`].

use crate::contracts::wording;
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::Words;
use std::time::Duration;

/// Words a code's text in one language.
type CodeText = fn(&str, u64) -> String;

/// The texts by locale. The first serves everybody whose language is not here; another language
/// is another line.
const TEXTS: [(&str, CodeText); 1] = [("en", english)];

/// The languages there are texts for.
pub const LOCALES: [&str; TEXTS.len()] = [TEXTS[0].0];

/// The message that carries a code. Codes go by SMS alone.
pub(super) fn code_words(_: Purpose, locale: &str, code: &OneTimeCode, life: Duration) -> Words {
    let known = TEXTS.iter().find(|(known, _)| *known == locale);
    let text = known.map_or(english as CodeText, |(_, text)| *text);
    let text = text(code.expose(), wording::minutes(life));
    Words { subject: "PosBytz".to_owned(), html: text.clone(), text }
}

/// English: one segment of GSM 03.38 (160 characters) with an origin-bound last line.
fn english(code: &str, minutes: u64) -> String {
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!(
        "{code} is your code to confirm your number. It works for {minutes} {unit}. \
         Not you? Ignore this message."
    )
}

#[cfg(test)]
mod tests {
    use super::super::CODE_FORMAT;
    use super::*;

    #[test]
    fn every_text_is_one_segment_and_starts_with_the_code() {
        for mac in [[0; 32], [7; 32], [0xff; 32]] {
            let code = OneTimeCode::truncate(&mac, CODE_FORMAT);
            assert!(code.expose().len() == 6 && !code.expose().starts_with('0'));
            for locale in LOCALES {
                let words = code_words(Purpose::SignUp, locale, &code, Duration::from_mins(5));
                assert!(words.text.len() <= 120 && words.text.is_ascii(), "{}", words.text);
                assert!(words.text.starts_with(code.expose()));
            }
        }
    }
}
