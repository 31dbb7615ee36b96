//! The languages and the messages of Gotu. The texts are in `shared/texts/gotu`.

use crate::contracts::mail::{Block, Layout};
use crate::contracts::messages::CodeOf;
use crate::contracts::texts::{Language, Voice};
use crate::ports::MessageContent;

/// The languages, the default first.
pub const LOCALES: [&str; 2] = ["en", "id"];

pub(super) static LANGUAGES: [Language; 2] = [
    Language::new(LOCALES[0], include_str!("../../../texts/gotu/en.ftl")),
    Language::new(LOCALES[1], include_str!("../../../texts/gotu/id.ftl")),
];

const MAIL: Layout = Layout { head: "", style: "font-family:sans-serif" };

/// The message with a code.
pub(super) fn code_message(voice: &Voice<'_>, of: &CodeOf<'_>) -> MessageContent {
    let say = |id| voice.say(id, &of.values());
    let subject = say("mail-code-subject");
    let blocks = [
        Block::Text(say("mail-code-lead")),
        Block::Code(of.code.expose()),
        Block::Text(say("mail-code-note")),
    ];
    let html = MAIL.html(voice, &subject, &blocks);
    MessageContent::new(subject, say(of.text_id(voice)), html)
}

/// The message to a recipient that asks for a code to sign up and has an account.
pub(super) fn account_notice(voice: &Voice<'_>) -> MessageContent {
    let say = |id| voice.say(id, &[]);
    let subject = say("mail-notice-subject");
    let blocks =
        ["mail-notice-lead", "mail-notice-how", "mail-notice-note"].map(|id| Block::Text(say(id)));
    let html = MAIL.html(voice, &subject, &blocks);
    MessageContent::new(subject, say("sms-notice"), html)
}
