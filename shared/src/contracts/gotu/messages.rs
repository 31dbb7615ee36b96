//! The texts of Gotu's messages: one function for each locale of [`TEMPLATES`].

use crate::contracts::messages::{count, for_locale, minutes};
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Writes the message with a code in one language.
type CodeMessage = fn(Purpose, &OneTimeCode, Duration) -> MessageContent;

/// The templates by locale. The first is also for every locale that is not in the list.
const TEMPLATES: [(&str, CodeMessage); 1] = [("en", english)];

/// The locales that have a template.
pub const LOCALES: [&str; TEMPLATES.len()] = [TEMPLATES[0].0];

/// The purpose of a code, as an English infinitive.
const fn aim(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignUp => "sign up",
        Purpose::SignIn => "sign in",
        Purpose::ResetPassword => "set a new password",
        Purpose::ChangePhone | Purpose::Verify => "confirm your phone number",
        Purpose::DeleteAccount => "delete your account",
    }
}

/// The message with a code.
pub(super) fn code_message(
    purpose: Purpose,
    locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    for_locale(&TEMPLATES, locale, english)(purpose, code, lifetime)
}

/// English. The text fits one SMS segment (160 characters of GSM 03.38) with an origin-bound last
/// line of up to 40 characters.
fn english(purpose: Purpose, code: &OneTimeCode, lifetime: Duration) -> MessageContent {
    let (code, aim, minutes) = (code.expose(), aim(purpose), count(minutes(lifetime), "minute"));
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

/// The message to a recipient that asks for a code to sign up and has an account. It is as long as one
/// SMS segment at most.
pub(super) fn account_notice(_: &str) -> MessageContent {
    let text = "You already have a Gotu account. Choose \"log in\" in the app to get a code for it. \
                Not you? Ignore this message.";
    MessageContent {
        subject: "You already have a Gotu account".to_owned(),
        text: text.to_owned(),
        html: "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
               <p>You already have a Gotu account with this address.</p>\
               <p>Choose \u{201c}log in\u{201d} in the app, with your password or with a code.</p>\
               <p>Not you? Ignore this message.</p></body></html>"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::CodeFormat;

    #[test]
    fn the_notice_fits_one_segment_and_says_how_to_come_in() {
        let MessageContent { text, html, .. } = account_notice("en");
        assert!(text.is_ascii() && text.len() <= 160 && text.contains("log in"), "{text}");
        assert!(html.contains("log in"));
    }

    #[test]
    fn every_text_fits_one_segment_and_starts_with_the_code() {
        let code = OneTimeCode::truncate(&[7; 32], CodeFormat::all_of(5));
        for purpose in Purpose::ALL {
            for locale in LOCALES {
                let message = code_message(purpose, locale, &code, Duration::from_mins(5));
                let MessageContent { subject, text, html } = message;
                assert!(text.len() <= 120, "{}", text.len());
                assert!(text.is_ascii() && text.starts_with(code.expose()));
                assert!(html.contains(code.expose()) && !subject.contains("Gotu code:"));
            }
        }
    }
}
