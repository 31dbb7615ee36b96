//! What the pages of all contracts share: the texts of a language and the look of a brand.

use super::texts::Voice;
use crate::http::{Brand, escape, hash_source};

/// Puts values in the place of `{{name}}`. `parts` are HTML; every other name is the id of a text, which is
/// escaped here and nowhere else.
pub(super) fn filled(template: &str, voice: &Voice<'_>, parts: &[(&str, &str)]) -> String {
    let mut pieces = template.split("{{");
    let mut html = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        match parts.iter().find(|(part, _)| *part == name) {
            Some((_, value)) => html.push_str(value),
            None => html.push_str(&escape(&voice.say(name, &[]))),
        }
        html.push_str(rest);
    }
    html
}

/// The look of a brand on a page.
pub(super) struct Look {
    /// The style of the page with the colours of the brand.
    pub(super) style: String,
    /// The directives of a Content Security Policy that allow the style and the logo.
    pub(super) policy: String,
}

impl Look {
    pub(super) fn new(style: &str, brand: &Brand) -> Self {
        let colors = brand.colors.map(|colors| {
            let (accent, text) = (colors.accent(), colors.text());
            format!(":root {{ --accent: {accent}; --on-accent: {text}; }}\n")
        });
        let style = format!("{style}{}", colors.unwrap_or_default());
        let mut policy = format!("style-src {}", hash_source(&style));
        if let Some(logo) = &brand.logo {
            policy = format!("{policy}; img-src {}", logo.origin());
        }
        Self { style, policy }
    }
}

/// The head of a page: the logo of the brand, or the name of the product.
pub(super) fn header(voice: &Voice<'_>) -> String {
    let name = escape(voice.name());
    match &voice.brand.logo {
        Some(logo) => {
            let url = escape(logo.as_str());
            format!("<header><img src=\"{url}\" alt=\"{name}\"></header>")
        }
        None => format!("<header>{name}</header>"),
    }
}

/// The links of the brand, in the order of the keyboard; empty without links.
pub(super) fn links(voice: &Voice<'_>) -> String {
    let links = &voice.brand.links;
    let links = [
        ("sign-up", &links.sign_up),
        ("sign-in", &links.sign_in),
        ("shop", &links.shop),
        ("help", &links.help),
    ];
    let links = links.into_iter().filter_map(|(id, url)| {
        let url = escape(url.as_ref()?.as_str());
        let text = escape(&voice.say(&format!("link-{id}"), &[]));
        Some(format!("<a id=\"{id}\" href=\"{url}\">{text}</a>\n"))
    });
    let links: String = links.collect();
    if links.is_empty() {
        return links;
    }
    let label = escape(&voice.say("page-more", &[]));
    format!("<nav aria-label=\"{label}\">\n{links}</nav>\n")
}
