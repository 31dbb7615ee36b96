//! The languages and the mails of UrbanFits. The texts are in `shared/texts/urbanfits`.

use crate::contracts::mail::{Block, Layout};
use crate::contracts::messages::CodeOf;
use crate::contracts::texts::{Language, Voice};
use crate::ports::MessageContent;

/// The languages, the default first.
pub const LOCALES: [&str; 2] = ["en", "ar"];

pub(super) static LANGUAGES: [Language; 2] = [
    Language::new(LOCALES[0], include_str!("../../../texts/urbanfits/en.ftl")),
    Language::new(LOCALES[1], include_str!("../../../texts/urbanfits/ar.ftl")),
];

const MAIL: Layout = Layout {
    head: "<meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\">",
    style: "font-family:system-ui,sans-serif;line-height:1.5;max-width:32em",
};

/// The mail with a code. Codes are sent by mail only.
pub(super) fn code_message(voice: &Voice<'_>, of: &CodeOf<'_>) -> MessageContent {
    mail(voice, of, None)
}

/// The mail with the code of a sign-up. `page` is the address of the page that asks for the code; the
/// browser of the sign-up knows its `otp_id`.
pub(super) fn sign_up_message(voice: &Voice<'_>, of: &CodeOf<'_>, page: &str) -> MessageContent {
    mail(voice, of, Some(page))
}

fn mail(voice: &Voice<'_>, of: &CodeOf<'_>, page: Option<&str>) -> MessageContent {
    let say = |id| voice.say(id, &of.values());
    let (place, note) = (say("mail-code-place"), say("mail-code-note"));
    let mut text = format!("{}\n\n{place}\n\n", say("mail-code-sentence"));
    let mut blocks =
        vec![Block::Text(say("mail-code-lead")), Block::Code(of.code.expose()), Block::Text(place)];
    if let Some(page) = page {
        let lead = say("mail-code-page");
        text.extend([&*lead, "\n", page, "\n\n"]);
        blocks.push(Block::Address(lead, page));
    }
    text.push_str(&note);
    blocks.push(Block::Text(note));
    let html = MAIL.html(voice, &say("mail-code-title"), &blocks);
    MessageContent::new(say("mail-code-subject"), text, html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::PROFILE;
    use crate::domain::challenge::Purpose;
    use crate::domain::code::OneTimeCode;
    use crate::http::Brand;
    use std::time::Duration;

    const PAGE: &str = "https://api.example/auth/signup/verify-otp";

    /// Calls a test with each language and a code for a purpose.
    fn in_each(purpose: Purpose, test: impl Fn(&Voice<'_>, &CodeOf<'_>)) {
        let code = OneTimeCode::truncate(&[7; 32], PROFILE.code_format);
        let lifetime = Duration::from_mins(5);
        let brand = Brand::default();
        for tag in LOCALES {
            let voice = Voice::new(&LANGUAGES, tag, "UrbanFits", &brand).unwrap();
            test(&voice, &CodeOf { purpose, code: &code, lifetime, has_host_line: false });
        }
    }

    #[test]
    fn the_code_is_the_first_number_of_the_text_and_not_in_the_subject() {
        in_each(Purpose::SignUp, |voice, of| {
            let message = code_message(voice, of);
            let code = of.code.expose();
            assert!(message.text.starts_with(code));
            assert!(message.html.contains(code));
            assert!(!message.subject.contains(code));
            assert!(message.text.contains("5 minutes") || message.text.contains("5 دقائق"));
        });
    }

    #[test]
    fn the_mail_of_a_sign_up_links_to_the_page_without_the_code() {
        in_each(Purpose::SignUp, |voice, of| {
            let message = sign_up_message(voice, of, PAGE);
            assert!(message.text.starts_with(of.code.expose()));
            assert!(message.text.contains(&format!("\n{PAGE}\n")), "{}", message.text);
            assert!(message.html.contains(&format!(" href=\"{PAGE}\">{PAGE}</a>")));
        });
        for purpose in [Purpose::SignUp, Purpose::ResetPassword] {
            in_each(purpose, |voice, of| {
                let plain = code_message(voice, of);
                assert!(!plain.text.contains("://") && !plain.html.contains("href"));
            });
        }
    }

    #[test]
    fn a_mail_in_arabic_runs_from_right_to_left() {
        in_each(Purpose::SignUp, |voice, of| {
            let html = sign_up_message(voice, of, PAGE).html;
            let arabic = html.contains("<html lang=\"ar\" dir=\"rtl\">");
            assert!(arabic || html.contains("<html lang=\"en\">"), "{html}");
            assert_eq!(html.contains("<a dir=\"ltr\" href="), arabic, "{html}");
        });
    }
}
