//! The texts of PosBytz's messages: one function for each locale of [`TEMPLATES`].

use crate::contracts::messages::{count, for_locale, minutes};
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Writes the message with a code, which is valid for this many minutes, in one language.
type CodeText = fn(Purpose, &str, u64) -> MessageContent;

/// Writes the mail with a link, which is valid for this many hours, in one language.
type LinkMail = fn(&str, u64) -> MessageContent;

/// The templates by locale. The first is also for every locale that is not in the list.
const TEMPLATES: [(&str, (CodeText, LinkMail)); 1] = [("en", ENGLISH)];

const ENGLISH: (CodeText, LinkMail) = (english_text, english_mail);

/// The locales that have a template.
pub const LOCALES: [&str; TEMPLATES.len()] = [TEMPLATES[0].0];

/// The message with a code: an SMS, or a mail to an address whose password was forgotten.
pub(super) fn code_message(
    purpose: Purpose,
    locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let (text, _) = for_locale(&TEMPLATES, locale, ENGLISH);
    text(purpose, code.expose(), minutes(lifetime))
}

/// The mail with a link.
pub(super) fn link_message(locale: &str, link: &str, lifetime: Duration) -> MessageContent {
    let (_, mail) = for_locale(&TEMPLATES, locale, ENGLISH);
    mail(link, lifetime.as_secs().div_ceil(3600).max(1))
}

fn english_mail(link: &str, hours: u64) -> MessageContent {
    let (href, hours) = (link.replace('&', "&amp;"), count(hours, "hour"));
    MessageContent {
        subject: "Confirm your e-mail address".to_owned(),
        text: format!(
            "Follow this link to confirm your e-mail address:\n\n{link}\n\n\
             It works once, for {hours}. Not you? Ignore this message."
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p><a href=\"{href}\">Confirm your e-mail address</a></p>\
             <p>The link works once, for {hours}. Not you? Ignore this message.</p>\
             </body></html>"
        ),
    }
}

/// English: one segment of GSM 03.38 (160 characters) with an origin-bound last line.
fn english_text(purpose: Purpose, code: &str, minutes: u64) -> MessageContent {
    let minutes = count(minutes, "minute");
    let (subject, use_of_it) = if purpose == Purpose::ResetPassword {
        ("Set a new password", "set a new password")
    } else {
        ("Confirm your number", "confirm your number")
    };
    let rest = format!("is your code to {use_of_it}. It works for {minutes}. ");
    let end = "Not you? Ignore this message.";
    MessageContent {
        subject: subject.to_owned(),
        text: format!("{code} {rest}{end}"),
        html: format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p><strong>{code}</strong> {rest}</p><p>{end}</p></body></html>"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::PROFILE;
    use super::*;

    #[test]
    fn a_mail_has_the_link_in_both_parts() {
        let link = "https://api.example/verify?userId=1&token=2";
        let mail = link_message("en", link, Duration::from_hours(24));
        assert!(mail.text.contains(&format!("\n{link}\n")) && mail.text.contains("24 hours"));
        assert!(mail.html.contains("href=\"https://api.example/verify?userId=1&amp;token=2\""));
    }

    #[test]
    fn every_text_fits_one_segment_and_starts_with_the_code() {
        for mac in [[0; 32], [7; 32], [0xff; 32]] {
            let code = OneTimeCode::truncate(&mac, PROFILE.code_format);
            assert!(code.expose().len() == 6 && !code.expose().starts_with('0'));
            for locale in LOCALES {
                let lifetime = Duration::from_mins(5);
                for purpose in [Purpose::Verify, Purpose::ResetPassword] {
                    let message = code_message(purpose, locale, &code, lifetime);
                    let text = message.text;
                    assert!(text.len() <= 120 && text.is_ascii(), "{text}");
                    assert!(text.starts_with(code.expose()));
                    assert!(message.html.contains(code.expose()));
                }
            }
        }
    }
}
