//! The texts of UrbanFits' mails.

use crate::contracts::messages::{count, minutes};
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::http::escape;
use crate::ports::MessageContent;
use std::time::Duration;

/// The locales that have a template.
pub const LOCALES: [&str; 1] = ["en"];

/// The mail with a code, in English. Codes are sent by mail only.
pub(super) fn code_message(
    purpose: Purpose,
    _locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    mail(purpose, code, lifetime, None)
}

/// The mail with the code of a sign-up, in English. `page` is the address of the page that asks for
/// the code; the browser of the sign-up knows its `otp_id`.
pub(super) fn sign_up_message(
    _locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
    page: &str,
) -> MessageContent {
    mail(Purpose::SignUp, code, lifetime, Some(page))
}

fn mail(
    purpose: Purpose,
    code: &OneTimeCode,
    lifetime: Duration,
    page: Option<&str>,
) -> MessageContent {
    let (code, minutes) = (code.expose(), count(minutes(lifetime), "minute"));
    let (subject, place, otherwise) = if purpose == Purpose::ResetPassword {
        (
            "Set a new password for UrbanFits",
            "Enter it with your new password",
            "If you did not ask for it, ignore this mail: your password stays as it is.",
        )
    } else {
        (
            "Verify your email for UrbanFits",
            "Enter it on the page where you signed up",
            "If you did not sign up, ignore this mail: without the code there is no account.",
        )
    };
    let (mut text_link, mut html_link) = (String::new(), String::new());
    if let Some(page) = page {
        let lead = "The page, in the browser where you signed up:";
        text_link = format!("{lead}\n{page}\n\n");
        let page = escape(page);
        html_link = format!("<p>{lead}<br><a href=\"{page}\">{page}</a></p>");
    }
    MessageContent {
        subject: subject.to_owned(),
        text: format!(
            "{code} is your UrbanFits verification code.\n\n\
             {place}. It works for {minutes}, once.\n\n{text_link}{otherwise}"
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>UrbanFits</title></head>\
             <body style=\"font-family:system-ui,sans-serif;line-height:1.5;max-width:32em\">\
             <p>Your UrbanFits verification code:</p>\
             <p style=\"font-size:2em;letter-spacing:.2em\"><strong>{code}</strong></p>\
             <p>{place}. It works for {minutes}, once.</p>{html_link}\
             <p>{otherwise}</p>\
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
        let message = code_message(Purpose::SignUp, "en", &code, Duration::from_mins(5));
        assert!(message.text.starts_with(code.expose()));
        assert!(message.html.contains(code.expose()));
        assert!(!message.subject.contains(code.expose()));
        assert!(message.text.contains("5 minutes"));
    }

    #[test]
    fn the_mail_of_a_sign_up_links_to_the_page_without_the_code() {
        let code = OneTimeCode::truncate(&[7; 32], PROFILE.code_format);
        let page = "https://api.example/auth/signup/verify-otp";
        let message = sign_up_message("en", &code, Duration::from_mins(5), page);
        assert!(message.text.starts_with(code.expose()));
        assert!(message.text.contains(&format!("\n{page}\n")), "{}", message.text);
        assert!(message.html.contains(&format!("<a href=\"{page}\">{page}</a>")));
        for purpose in [Purpose::SignUp, Purpose::ResetPassword] {
            let plain = code_message(purpose, "en", &code, Duration::from_mins(5));
            assert!(!plain.text.contains("://") && !plain.html.contains("href"));
        }
    }
}
