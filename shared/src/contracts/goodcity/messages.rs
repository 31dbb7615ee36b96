//! The texts of GoodCity's messages: one function for each locale of [`TEMPLATES`].

use crate::contracts::messages::{count, for_locale, minutes};
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Writes the text with a pin, which is valid for this many minutes, in one language.
type PinText = fn(&str, u64) -> String;

/// The templates by locale. The first is also for every locale that is not in the list.
const TEMPLATES: [(&str, PinText); 2] = [("en", english), ("zh-tw", chinese)];

/// The locales that have a template.
pub const LOCALES: [&str; TEMPLATES.len()] = [TEMPLATES[0].0, TEMPLATES[1].0];

/// The message with a pin. Pins are sent by SMS only, so the mail has no text of its own.
pub(super) fn code_message(
    _: Purpose,
    locale: &str,
    pin: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let text = for_locale(&TEMPLATES, locale, english)(pin.expose(), minutes(lifetime));
    MessageContent { subject: "GoodCity".to_owned(), html: text.clone(), text }
}

/// English: one segment of GSM 03.38 (160 characters).
fn english(pin: &str, minutes: u64) -> String {
    let minutes = count(minutes, "minute");
    format!(
        "{pin} is your GoodCity pin. It works for {minutes}. \
         If you did not ask for it, ignore this message."
    )
}

/// Traditional Chinese: one segment of UCS-2 (70 characters).
fn chinese(pin: &str, minutes: u64) -> String {
    format!("{pin} 是您的 GoodCity 驗證碼，{minutes} 分鐘內有效。如非您本人要求，請忽略此訊息。")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::CodeFormat;

    #[test]
    fn every_text_fits_one_segment_and_starts_with_the_pin() {
        let pin = OneTimeCode::truncate(&[7; 32], CodeFormat::all_of(4));
        for locale in LOCALES {
            let text = code_message(Purpose::SignIn, locale, &pin, Duration::from_mins(5)).text;
            let longest = if text.is_ascii() { 120 } else { 70 };
            assert!(text.chars().count() <= longest, "{text}");
            assert!(text.starts_with(pin.expose()));
        }
    }
}
