//! The HTML part of mails: one layout for all products. This is the only place that puts a value into the
//! HTML of a mail, and it escapes every value.

use super::texts::Voice;
use crate::http::escape;

/// How the mails of a product look without a brand.
pub(super) struct Layout {
    /// The content of the element `head`; empty for none.
    pub(super) head: &'static str,
    /// The style of the element `body`.
    pub(super) style: &'static str,
}

/// A part of a mail.
pub(super) enum Block<'a> {
    Text(String),
    /// A code alone.
    Code(&'a str),
    /// A sentence with a code in it.
    WithCode(String, &'a str),
    /// A link with a text of its own.
    Link(String, &'a str),
    /// A link that shows its address, below a text.
    Address(String, &'a str),
}

impl Layout {
    /// Returns the HTML of a mail with these parts.
    pub(super) fn html(&self, voice: &Voice<'_>, title: &str, blocks: &[Block<'_>]) -> String {
        let head = match self.head {
            "" => String::new(),
            head => format!("<head>{head}<title>{}</title></head>", escape(title)),
        };
        let body: String = blocks.iter().map(|block| html(block, voice)).collect();
        format!(
            "<!doctype html><html {}>{head}<body style=\"{}\">{}{body}{}</body></html>",
            voice.html_attributes(),
            self.style,
            banner(voice),
            footer(voice)
        )
    }
}

fn html(block: &Block<'_>, voice: &Voice<'_>) -> String {
    // An address reads from left to right in every language.
    let ltr = if voice.language.is_right_to_left() { " dir=\"ltr\"" } else { "" };
    match block {
        Block::Text(text) => format!("<p>{}</p>", escape(text)),
        Block::Code(code) => format!(
            "<p style=\"font-size:2em;letter-spacing:.2em\"><strong>{}</strong></p>",
            escape(code)
        ),
        Block::WithCode(text, code) => {
            let (text, code) = (escape(text), escape(code));
            format!("<p>{} </p>", text.replacen(&code, &format!("<strong>{code}</strong>"), 1))
        }
        Block::Link(text, url) => {
            format!("<p><a href=\"{}\">{}</a></p>", escape(url), escape(text))
        }
        Block::Address(text, url) => {
            let url = escape(url);
            format!("<p>{}<br><a{ltr} href=\"{url}\">{url}</a></p>", escape(text))
        }
    }
}

/// The head of a mail: logo and name in the colours of the brand; nothing without both.
fn banner(voice: &Voice<'_>) -> String {
    let brand = voice.brand;
    if brand.colors.is_none() && brand.logo.is_none() {
        return String::new();
    }
    let name = escape(voice.name());
    let colors = brand.colors.map(|colors| {
        let (accent, text) = (colors.accent(), colors.text());
        format!(";background:{accent};color:{text}")
    });
    let content = brand.logo.as_ref().map_or_else(
        || name.clone(),
        |logo| {
            let url = escape(logo.as_str());
            format!(
                "<img src=\"{url}\" alt=\"{name}\" height=\"40\" style=\"vertical-align:middle\">"
            )
        },
    );
    let colors = colors.unwrap_or_default();
    format!(
        "<p style=\"padding:12px 16px;font-size:1.25em;font-weight:bold{colors}\">{content}</p>"
    )
}

/// The end of a mail: the links of the brand.
fn footer(voice: &Voice<'_>) -> String {
    let links = [("link-shop", &voice.brand.links.shop), ("link-help", &voice.brand.links.help)];
    let links = links.into_iter().filter_map(|(id, url)| {
        let (url, text) = (escape(url.as_ref()?.as_str()), escape(&voice.say(id, &[])));
        Some(format!("<a href=\"{url}\">{text}</a>"))
    });
    let links: Vec<_> = links.collect();
    if links.is_empty() { String::new() } else { format!("<p>{}</p>", links.join(" · ")) }
}
