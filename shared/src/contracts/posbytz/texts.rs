//! What PosBytz's messages say: one function for each locale of [`TEXTS`].

use crate::contracts::wording;
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Words a code's text in one language.
type CodeText = fn(&str, u64) -> String;

/// Words the mail of a link, which works for so many hours, in one language.
type LinkMail = fn(&str, u64) -> MessageContent;

/// The texts by locale. The first serves everybody whose language is not here; another language
/// is another line.
const TEXTS: [(&str, CodeText, LinkMail); 1] = [("en", english, english_mail)];

/// The languages there are texts for.
pub const LOCALES: [&str; TEXTS.len()] = [TEXTS[0].0];

/// The message that carries a code. Codes go by SMS alone.
pub(super) fn code_content(
    _: Purpose,
    locale: &str,
    code: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let known = TEXTS.iter().find(|(known, ..)| *known == locale);
    let text = known.map_or(english as CodeText, |(_, text, _)| *text);
    let text = text(code.expose(), wording::minutes(lifetime));
    MessageContent { subject: "PosBytz".to_owned(), html: text.clone(), text }
}

/// The mail that carries a link.
pub(super) fn link_content(locale: &str, link: &str, lifetime: Duration) -> MessageContent {
    let known = TEXTS.iter().find(|(known, ..)| *known == locale);
    let mail = known.map_or(english_mail as LinkMail, |(.., mail)| *mail);
    mail(link, lifetime.as_secs().div_ceil(3600).max(1))
}

fn english_mail(link: &str, hours: u64) -> MessageContent {
    let unit = if hours == 1 { "hour" } else { "hours" };
    let href = link.replace('&', "&amp;");
    MessageContent {
        subject: "Confirm your e-mail address".to_owned(),
        text: format!(
            "Follow this link to confirm your e-mail address:\n\n{link}\n\n\
             It works once, for {hours} {unit}. Not you? Ignore this message."
        ),
        html: format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p><a href=\"{href}\">Confirm your e-mail address</a></p>\
             <p>The link works once, for {hours} {unit}. Not you? Ignore this message.</p>\
             </body></html>"
        ),
    }
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
    use super::super::PROFILE;
    use super::*;

    #[test]
    fn a_mail_carries_the_link_in_both_parts() {
        let link = "https://api.example/verify?userId=1&token=2";
        let words = link_content("en", link, Duration::from_hours(24));
        assert!(words.text.contains(&format!("\n{link}\n")) && words.text.contains("24 hours"));
        assert!(words.html.contains("href=\"https://api.example/verify?userId=1&amp;token=2\""));
    }

    #[test]
    fn every_text_is_one_segment_and_starts_with_the_code() {
        for mac in [[0; 32], [7; 32], [0xff; 32]] {
            let code = OneTimeCode::truncate(&mac, PROFILE.code_format);
            assert!(code.expose().len() == 6 && !code.expose().starts_with('0'));
            for locale in LOCALES {
                let words = code_content(Purpose::SignUp, locale, &code, Duration::from_mins(5));
                assert!(words.text.len() <= 120 && words.text.is_ascii(), "{}", words.text);
                assert!(words.text.starts_with(code.expose()));
            }
        }
    }
}
