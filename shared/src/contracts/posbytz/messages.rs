//! The languages and the messages of PosBytz. The texts are in `shared/texts/posbytz`.

use crate::contracts::mail::{Block, Layout};
use crate::contracts::messages::{CodeOf, hours};
use crate::contracts::texts::{Language, Voice, number};
use crate::ports::MessageContent;
use std::time::Duration;

/// The languages, the default first.
pub const LOCALES: [&str; 2] = ["en", "hi"];

pub(super) static LANGUAGES: [Language; 2] = [
    Language::new(LOCALES[0], include_str!("../../../texts/posbytz/en.ftl")),
    Language::new(LOCALES[1], include_str!("../../../texts/posbytz/hi.ftl")),
];

const MAIL: Layout = Layout { head: "", style: "font-family:sans-serif" };

/// The message with a code: an SMS, or a mail to an address whose password was forgotten.
pub(super) fn code_message(voice: &Voice<'_>, of: &CodeOf<'_>) -> MessageContent {
    let say = |id| voice.say(id, &of.values());
    let subject = say("mail-code-subject");
    let blocks = [
        Block::WithCode(say("mail-code-lead"), of.code.expose()),
        Block::Text(say("mail-code-note")),
    ];
    let html = MAIL.html(voice, &subject, &blocks);
    MessageContent::new(subject, say(of.text_id(voice)), html)
}

/// The mail with a link.
pub(super) fn link_message(voice: &Voice<'_>, link: &str, lifetime: Duration) -> MessageContent {
    let say = |id| voice.say(id, &[number("hours", hours(lifetime))]);
    let subject = say("mail-link-subject");
    let (lead, note) = (say("mail-link-lead"), say("mail-link-text-note"));
    let blocks = [Block::Link(say("mail-link-button"), link), Block::Text(say("mail-link-note"))];
    let html = MAIL.html(voice, &subject, &blocks);
    MessageContent::new(subject, format!("{lead}\n\n{link}\n\n{note}"), html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Brand;

    #[test]
    fn a_mail_has_the_link_in_both_parts() {
        let link = "https://api.example/verify?userId=1&token=2";
        let brand = Brand::default();
        for tag in LOCALES {
            let voice = Voice::new(&LANGUAGES, tag, "PosBytz", &brand).unwrap();
            let mail = link_message(&voice, link, Duration::from_hours(24));
            assert!(mail.text.contains(&format!("\n{link}\n")) && mail.text.contains("24 "));
            assert!(mail.html.contains("href=\"https://api.example/verify?userId=1&amp;token=2\""));
        }
    }
}
