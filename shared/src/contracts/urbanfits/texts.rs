//! What UrbanFits' mails say.

use crate::contracts::wording;
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// The languages there are texts for.
pub const LOCALES: [&str; 1] = ["en"];

/// The mail that carries a code, in English. Codes go by mail alone.
pub(super) fn code_content(
    _: Purpose,
    _locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let minutes = wording::minutes(lifetime);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let code = code.expose();
    MessageContent {
        subject: "Verify your email for UrbanFits".to_owned(),
        text: format!(
            "{code} is your UrbanFits verification code.\n\n\
             Enter it on the page where you signed up. It works for {minutes} {unit}, once.\n\n\
             If you did not sign up, ignore this mail: without the code there is no account."
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>UrbanFits</title></head>\
             <body style=\"font-family:system-ui,sans-serif;line-height:1.5;max-width:32em\">\
             <p>Your UrbanFits verification code:</p>\
             <p style=\"font-size:2em;letter-spacing:.2em\"><strong>{code}</strong></p>\
             <p>Enter it on the page where you signed up. It works for {minutes} {unit}, once.</p>\
             <p>If you did not sign up, ignore this mail: without the code there is no account.</p>\
             </body></html>"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::PROFILE;

    #[test]
    fn the_code_is_the_first_number_of_the_text_and_not_in_the_subject() {
        let code = OneTimeCode::truncate(&[7; 32], PROFILE.code_format);
        let words = code_content(Purpose::SignUp, "en", &code, Duration::from_mins(5));
        assert!(words.text.starts_with(code.expose()));
        assert!(words.html.contains(code.expose()));
        assert!(!words.subject.contains(code.expose()));
        assert!(words.text.contains("5 minutes"));
    }
}
