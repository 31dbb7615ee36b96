//! What GoodCity's messages say: one function for each locale of [`TEXTS`].

use crate::contracts::wording;
use crate::domain::challenge::Purpose;
use crate::domain::code::OneTimeCode;
use crate::ports::MessageContent;
use std::time::Duration;

/// Words a pin's text in one language.
type PinText = fn(&str, u64) -> String;

/// The texts by locale. The first serves everybody whose language is not here.
const TEXTS: [(&str, PinText); 2] = [("en", english), ("zh-tw", chinese)];

/// The languages there are texts for.
pub const LOCALES: [&str; TEXTS.len()] = [TEXTS[0].0, TEXTS[1].0];

/// The message that carries a pin. Pins go by SMS alone, so there is no mail to word.
pub(super) fn code_content(
    _: Purpose,
    locale: &str,
    pin: &OneTimeCode,
    lifetime: Duration,
) -> MessageContent {
    let known = TEXTS.iter().find(|(known, _)| *known == locale);
    let text = known.map_or(english as PinText, |(_, text)| *text);
    let text = text(pin.expose(), wording::minutes(lifetime));
    MessageContent { subject: "GoodCity".to_owned(), html: text.clone(), text }
}

/// English: one segment of GSM 03.38 (160 characters).
fn english(pin: &str, minutes: u64) -> String {
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!(
        "{pin} is your GoodCity pin. It works for {minutes} {unit}. \
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
    fn every_text_is_one_segment_and_starts_with_the_pin() {
        let pin = OneTimeCode::truncate(&[7; 32], CodeFormat::all_of(4));
        for locale in LOCALES {
            let words = code_content(Purpose::SignIn, locale, &pin, Duration::from_mins(5));
            let most = if words.text.is_ascii() { 120 } else { 70 };
            assert!(words.text.chars().count() <= most, "{}", words.text);
            assert!(words.text.starts_with(pin.expose()));
        }
    }
}
