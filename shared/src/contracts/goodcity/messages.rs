//! The languages and the messages of GoodCity. The texts are in `shared/texts/goodcity`.

use crate::contracts::messages::CodeOf;
use crate::contracts::texts::{Language, Voice};
use crate::http::escape;
use crate::ports::MessageContent;

/// The languages, the default first. Bare `zh` means the first of the two scripts.
pub const LOCALES: [&str; 3] = ["en", "zh-Hant", "zh-Hans"];

pub(super) static LANGUAGES: [Language; 3] = [
    Language::new(LOCALES[0], include_str!("../../../texts/goodcity/en.ftl")),
    Language::new(LOCALES[1], include_str!("../../../texts/goodcity/zh-Hant.ftl")),
    Language::new(LOCALES[2], include_str!("../../../texts/goodcity/zh-Hans.ftl")),
];

/// The message with a pin. Pins are sent by SMS only, so the mail has no text of its own.
pub(super) fn code_message(voice: &Voice<'_>, of: &CodeOf<'_>) -> MessageContent {
    let text = voice.say(of.text_id(voice), &of.values());
    let html = escape(&text);
    MessageContent::new(voice.name().to_owned(), text, html)
}
