//! What Gotu's messages say: one function for each locale of [`TEXTS`].

use crate::contracts::wording;
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Words a code's message in one language.
type CodeWords = fn(Purpose, &OneTimeCode, Duration) -> MessageContent;

/// The texts by locale. The first serves everybody whose language is not here; another language
/// is another line.
const TEXTS: [(&str, CodeWords); 1] = [("en", english)];

/// The languages there are texts for.
pub const LOCALES: [&str; TEXTS.len()] = [TEXTS[0].0];

/// What the code is for, as an English infinitive.
const fn aim(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignUp => "sign up",
        Purpose::SignIn => "sign in",
        Purpose::ResetPassword => "set a new password",
        Purpose::ChangePhone | Purpose::Verify => "confirm your phone number",
    }
}

/// "5 minutes".
fn minutes(lifetime: Duration) -> String {
    match wording::minutes(lifetime) {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// The message that carries a code.
pub(super) fn code_content(
    purpose: Purpose,
    locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let known = TEXTS.iter().find(|(known, _)| *known == locale);
    let words = known.map_or(english as CodeWords, |(_, words)| *words);
    words(purpose, code, lifetime)
}

/// English. The text fits one SMS segment (160 characters of GSM 03.38) with an origin-bound last
/// line of up to 40 characters.
fn english(purpose: Purpose, code: &OneTimeCode, lifetime: Duration) -> MessageContent {
    let (code, aim, minutes) = (code.expose(), aim(purpose), minutes(lifetime));
    MessageContent {
        subject: format!("Your Gotu code to {aim}"),
        text: format!(
            "{code} is your Gotu code to {aim}. It works for {minutes}. \
             Not you? Ignore this message."
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p>Your Gotu code to {aim}:</p>\
             <p style=\"font-size:2em;letter-spacing:.2em\"><strong>{code}</strong></p>\
             <p>It works for {minutes}. Not you? Ignore this message.</p></body></html>"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::CodeFormat;

    #[test]
    fn every_text_is_one_segment_and_starts_with_the_code() {
        let code = OneTimeCode::truncate(&[7; 32], CodeFormat::all_of(5));
        for purpose in Purpose::ALL {
            for locale in LOCALES {
                let words = code_content(purpose, locale, &code, Duration::from_mins(5));
                assert!(words.text.len() <= 120, "{}", words.text.len());
                assert!(words.text.is_ascii() && words.text.starts_with(code.expose()));
                assert!(
                    words.html.contains(code.expose()) && !words.subject.contains("Gotu code:")
                );
            }
        }
    }
}
