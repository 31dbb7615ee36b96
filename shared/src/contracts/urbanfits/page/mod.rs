//! The page that a sign-up's `redirect_url` points to.
//!
//! Every request in a language gets the same page: its script reads `otp_id` from the browser's address,
//! and the response contains nothing of the request. So the page does not tell which sign-ups wait.

use super::messages::{LANGUAGES, LOCALES};
use crate::contracts::pages::{Look, filled, header, links};
use crate::contracts::texts::{Voice, number, word};
use crate::http::{Brand, Request, Response, StatusCode, escape, hash_source, locale};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use std::time::Duration;

const HTML: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("../../page.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("page.js");

/// The texts that the script shows: the ids after `script-`.
const SCRIPT_TEXTS: [&str; 39] = [
    "title",
    "error",
    "enter",
    "sent",
    "sent-to",
    "confirm",
    "checking",
    "checking-status",
    "missing",
    "length",
    "wrong",
    "done",
    "welcome",
    "welcome-user",
    "over",
    "over-lead",
    "taken",
    "taken-lead",
    "too-many",
    "too-many-long",
    "retry-in",
    "retry-now",
    "kept-failed",
    "kept-offline",
    "again",
    "again-in",
    "sending",
    "sending-status",
    "resent",
    "resent-status",
    "ended",
    "ended-lead",
    "no-new",
    "failed",
    "offline",
    "incomplete",
    "incomplete-lead",
    "confirmed",
    "confirmed-lead",
];
/// The values that the script puts into texts.
const SCRIPT_VALUES: [(&str, &str); 5] = [
    ("text", "{text}"),
    ("to", "{to}"),
    ("digits", "{digits}"),
    ("user", "{user}"),
    ("time", "{time}"),
];
/// The units that the script counts.
const UNITS: [&str; 2] = ["seconds", "minutes"];
/// A number for each plural category of CLDR's languages, the rarest first.
const SAMPLES: [u64; 6] = [0, 1, 2, 3, 11, 100];

/// The pages in all languages, with a brand. A page is made when the first caller asks for it.
pub struct CodePages {
    brand: Brand,
    /// The shortest time between two mails.
    pause: Duration,
    made: [OnceLock<Response>; LOCALES.len()],
}

impl CodePages {
    /// The pages where users enter the code that was mailed to them. `pause` is the shortest time between
    /// two mails.
    #[must_use]
    pub const fn new(pause: Duration, brand: Brand) -> Self {
        Self { brand, pause, made: [const { OnceLock::new() }; LOCALES.len()] }
    }

    /// Returns the page in the language of the caller.
    #[must_use]
    pub fn response(&self, request: &Request) -> Response {
        self.in_language(locale(request, &LOCALES))
    }

    fn in_language(&self, tag: &str) -> Response {
        let place = LOCALES.iter().position(|known| *known == tag).unwrap_or_default();
        let made = self.made.get(place).map(|made| made.get_or_init(|| self.make(tag)).clone());
        made.unwrap_or_else(|| self.make(tag))
    }

    fn make(&self, tag: &str) -> Response {
        let look = Look::new(STYLE, &self.brand);
        // Allows this style, this script, and the script's requests to this origin.
        let policy = format!(
            "default-src 'none'; script-src {}; {}; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            hash_source(SCRIPT),
            look.policy
        );
        let html = Voice::new(&LANGUAGES, tag, super::CONTRACT.product, &self.brand).map(|voice| {
            let enter = voice.say("script-enter", &[]);
            let title = escape(&voice.say("script-title", &[word("text", &enter)]));
            let texts = escape(&script_texts(&voice).to_string());
            let parts = [
                ("attributes", &*voice.html_attributes()),
                ("title", &*title),
                ("style", &*look.style),
                ("head", &*header(&voice)),
                ("pause", &*self.pause.as_secs().to_string()),
                ("texts", &*texts),
                ("links", &*links(&voice)),
                ("script", SCRIPT),
            ];
            (voice.language.tag(), filled(HTML, &voice, &parts))
        });
        // Its address contains the id of the sign-up.
        crate::http::page(StatusCode::OK, html.unwrap_or_default(), &policy, "no-referrer")
    }
}

/// The texts of the script, and for each unit its forms by plural category.
fn script_texts(voice: &Voice<'_>) -> Value {
    let values = SCRIPT_VALUES.map(|(name, place)| word(name, place));
    let texts = SCRIPT_TEXTS
        .into_iter()
        .map(|id| (id.to_owned(), json!(voice.say(&format!("script-{id}"), &values))));
    let mut texts: Map<_, _> = texts.collect();
    for unit in UNITS {
        let forms = SAMPLES.map(|sample| {
            let category = voice.say("count-category", &[number("count", sample)]);
            let form = voice.say(&format!("count-{unit}"), &[number("count", sample)]);
            (category, json!(form.replace(&sample.to_string(), "{count}")))
        });
        texts.insert(unit.to_owned(), Value::Object(forms.into_iter().collect()));
    }
    Value::Object(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::urbanfits::Refusal;
    use crate::http::{BrandColors, BrandLinks, Color, PageUrl};
    use lambda_http::Body;
    use lambda_http::http::header::CONTENT_SECURITY_POLICY;

    fn served(tag: &str) -> Response {
        CodePages::new(Duration::from_secs(75), Brand::default()).in_language(tag)
    }

    fn text(tag: &str) -> String {
        match served(tag).into_body() {
            Body::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// The text between two tags, each of which occurs once.
    fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
        assert_eq!((page.matches(open).count(), page.matches(close).count()), (1, 1), "{open}");
        page.split_once(open).unwrap().1.split_once(close).unwrap().0
    }

    #[test]
    fn the_policy_allows_exactly_the_inlined_script_and_style() {
        for tag in LOCALES {
            policy_allows_the_inlined(tag);
        }
        // The known hash of the empty text.
        assert_eq!(hash_source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    fn policy_allows_the_inlined(tag: &str) {
        let page = text(tag);
        let script = hash_source(between(&page, "<script type=\"module\">", "</script>"));
        let style = hash_source(between(&page, "<style>", "</style>"));
        let policy = served(tag).headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        let expected = format!(
            "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(policy, expected);
        // A hash does not allow attributes that are scripts or styles.
        for attribute in [" style=", " onclick=", " onsubmit=", " onload=", "javascript:"] {
            assert!(!page.contains(attribute), "{attribute}");
        }
    }

    #[test]
    fn the_page_sends_requests_to_its_own_origin_and_stores_one_thing() {
        let page = text("en");
        for word in ["://", "url(", "@import", "src=", "<link", "sessionStorage", "document.cookie"]
        {
            assert!(!page.contains(word), "{word}");
        }
        assert!(!page.contains("{{"), "a placeholder was not replaced");
        assert_eq!(SCRIPT.matches("fetch(").count(), 1);
        assert_eq!(SCRIPT.matches("post(\"").count(), 2);
        assert_eq!(SCRIPT.matches("localStorage.setItem(\"sign-up\"").count(), 1);
        assert!(page.contains("data-pause=\"75\""));
    }

    #[test]
    fn the_page_links_to_configured_pages_only() {
        assert!(!text("en").contains("<a ") && !text("en").contains("<nav"));
        let url = |text| PageUrl::parse(text);
        let links = BrandLinks {
            sign_up: url("https://shop.example/signup?a=1&b=2"),
            shop: url("https://shop.example"),
            ..BrandLinks::default()
        };
        let brand = Brand { links, ..Brand::default() };
        let linked = CodePages::new(Duration::ZERO, brand).in_language("en");
        let Body::Text(html) = linked.body() else { panic!("a text") };
        assert_eq!(html.matches("<a ").count(), 2);
        let sign_up = "<a id=\"sign-up\" href=\"https://shop.example/signup?a=1&amp;b=2\">";
        assert!(html.contains(sign_up));
        assert!(html.contains("<a id=\"shop\" href=\"https://shop.example\">"));
        // The policy does not change: it allows the same script and style.
        let policy = |page: &Response| page.headers()[CONTENT_SECURITY_POLICY].clone();
        assert_eq!(policy(&linked), policy(&served("en")));
    }

    #[test]
    fn a_brand_colours_the_page_and_shows_its_logo() {
        let brand = Brand {
            name: Some("A & B".to_owned()),
            colors: BrandColors::new(Color::parse("#0a5c36").unwrap(), None).ok(),
            logo: PageUrl::parse("https://cdn.example/a.png?b=1&c"),
            ..Brand::default()
        };
        let page = CodePages::new(Duration::ZERO, brand).in_language("en");
        let Body::Text(html) = page.body() else { panic!("a text") };
        assert!(html.contains("<title>Enter your code – A &amp; B</title>"));
        let logo = "<img src=\"https://cdn.example/a.png?b=1&amp;c\" alt=\"A &amp; B\">";
        assert!(html.contains(logo));
        let style = between(html, "<style>", "</style>");
        assert!(style.ends_with(":root { --accent: #0a5c36; --on-accent: #ffffff; }\n"));
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let allowed = format!("style-src {}; img-src https://cdn.example;", hash_source(style));
        assert!(policy.contains(&allowed), "{policy}");
    }

    #[test]
    fn the_script_shows_the_texts_that_it_is_given_and_no_others() {
        let mut ids: Vec<_> = SCRIPT
            .split("say(")
            .skip(1)
            .flat_map(|call| {
                let call = call.split([',', ')']).next().unwrap();
                call.split('"').skip(1).step_by(2).filter(|id| !id.is_empty()).collect::<Vec<_>>()
            })
            .collect();
        // `hold` gets the id of the text on a button.
        ids.extend(["again-in", "retry-in"]);
        ids.sort_unstable();
        ids.dedup();
        let mut known = SCRIPT_TEXTS.to_vec();
        known.sort_unstable();
        assert_eq!(ids, known);
        assert_eq!(
            SCRIPT.matches("\"again-in\"").count() + SCRIPT.matches("\"retry-in\"").count(),
            2
        );
    }

    #[test]
    fn each_plural_of_a_language_has_its_form() {
        for (tag, categories) in
            [("en", &["one", "other"][..]), ("ar", &["few", "many", "one", "other", "two", "zero"])]
        {
            let brand = Brand::default();
            let voice = Voice::new(&LANGUAGES, tag, "UrbanFits", &brand).unwrap();
            let texts = script_texts(&voice);
            for unit in UNITS {
                let mut forms: Vec<_> = texts[unit].as_object().unwrap().keys().collect();
                forms.sort();
                assert_eq!(forms, categories, "{tag} {unit}");
            }
            for (id, text) in texts.as_object().unwrap() {
                assert!(text.as_str().is_none_or(|text| !text.is_empty()), "{tag}: {id} is empty");
            }
        }
        assert!(text("ar").contains("<html lang=\"ar\" dir=\"rtl\">"));
    }

    #[test]
    fn the_script_recognizes_a_wrong_code_by_the_text_of_the_refusal() {
        let (_, text) = Refusal::Incorrect.status_and_text();
        assert_eq!(SCRIPT.matches(&format!("\"{text}\"")).count(), 1);
    }

    #[test]
    fn the_script_never_writes_markup() {
        for word in ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval"] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }

    #[test]
    fn the_page_is_small_and_the_same_for_every_request() {
        let response = served("en");
        for tag in LOCALES {
            assert!(text(tag).len() < 25_000, "{} bytes", text(tag).len());
            assert_eq!(text(tag), text(tag));
        }
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!((header("content-language"), header("vary")), ("en", "accept-language"));
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
    }
}
