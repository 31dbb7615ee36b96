//! The tests of the texts. `cargo test -p latchkey texts -- --nocapture` prints their table.

use super::templates::voice;
use super::texts::{Language, number, word};
use super::{CONTRACTS, Contract, ContractTemplates};
use crate::domain::challenge::{ChallengeKey, Purpose};
use crate::domain::code::OneTimeCode;
use crate::domain::identifier::Identifier;
use crate::domain::realm::Realm;
use crate::http::{Brand, BrandColors, BrandLinks, Color, PageUrl};
use crate::ports::{MessageContent, MessageTemplates as _};
use fluent_bundle::FluentArgs;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The characters of GSM 03.38 in one septet, and those that take two.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_TWICE: &str = "^{}\\[~]|€";
/// The longest name of a brand, and the longest host of the last line.
const LONGEST_NAME: &str = "A long name.";
const LONGEST_HOST: &str = "a-long-host.of-the-page.exampl";
/// The lifetimes of codes: the shortest, the default, the longest, and each plural of Arabic.
const MINUTES: [u64; 5] = [1, 2, 5, 11, 15];

/// The length of a text in the units of its encoding, the encoding, and the segments of an SMS.
fn measured(text: &str) -> (usize, &'static str, usize) {
    let (gsm, twice) = (|c| GSM.contains(c), |c| GSM_TWICE.contains(c));
    let (length, encoding, single, part) = if text.chars().all(|c| gsm(c) || twice(c)) {
        let length =
            text.chars().count().saturating_add(text.chars().filter(|c| twice(*c)).count());
        (length, "GSM", 160, 153)
    } else {
        (text.encode_utf16().count(), "UCS-2", 70, 67)
    };
    (length, encoding, if length <= single { 1 } else { length.div_ceil(part) })
}

/// Every language of every contract.
fn languages() -> impl Iterator<Item = (Contract, &'static Language)> {
    CONTRACTS.into_iter().flat_map(|contract| {
        let languages = (contract.languages)().iter();
        languages.map(move |language| {
            let own = CONTRACTS.into_iter().find(|it| it.profile.name == contract.profile.name);
            (own.unwrap(), language)
        })
    })
}

/// Contracts that send their codes by SMS. UrbanFits mails them.
fn sends_texts(contract: &Contract) -> bool {
    contract.code_page.is_none()
}

fn challenge(contract: &Contract, purpose: Purpose) -> ChallengeKey {
    let phone = Identifier::from_parts("phone", "+85261234567").unwrap();
    ChallengeKey::new(Realm::of_contract(contract.profile.name), purpose, phone)
}

/// The templates without a brand, or with the longest name and host that a brand can have.
fn templates(contract: &Contract, is_longest: bool) -> ContractTemplates {
    let mut templates = ContractTemplates::default();
    if is_longest {
        let name = Some(LONGEST_NAME.to_owned());
        let code_host = Some(LONGEST_HOST.to_owned());
        let brand = Brand { name, code_host, ..Brand::default() };
        templates.brands.insert(contract.profile.name.to_owned(), brand);
    }
    templates
}

/// The texts of a contract in a language by their names, with the code and the minutes.
fn texts(
    contract: &Contract,
    language: &Language,
    templates: &ContractTemplates,
    minutes: u64,
) -> Vec<(String, MessageContent, String)> {
    let code = OneTimeCode::truncate(&[7; 32], contract.profile.code_format);
    let (tag, name) = (language.tag(), contract.profile.name);
    let mut texts = Vec::new();
    for purpose in Purpose::ALL {
        let (key, lifetime) = (challenge(contract, purpose), Duration::from_mins(minutes));
        let content = templates.code_content(&key, tag, &code, lifetime).unwrap();
        let own = format!("{name}.{}{}", purpose.as_str(), content.variant);
        texts.push((own, content, code.expose().to_owned()));
    }
    if let Some(content) = templates.account_notice(&Realm::of_contract(name), tag) {
        texts.push((format!("{name}.account_notice{}", content.variant), content, String::new()));
    }
    texts
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is for people who write texts")]
fn texts_fit_one_segment_and_begin_with_the_code() {
    println!("| text | characters | encoding | segments | with the longest name and host |");
    println!("| --- | --- | --- | --- | --- |");
    for (contract, language) in languages().filter(|(contract, _)| sends_texts(contract)) {
        let mut rows: BTreeMap<String, Vec<(usize, &str, usize)>> = BTreeMap::new();
        for is_longest in [false, true] {
            let templates = templates(&contract, is_longest);
            let mut worst: BTreeMap<String, (usize, &str, usize)> = BTreeMap::new();
            for minutes in MINUTES {
                for (name, content, code) in texts(&contract, language, &templates, minutes) {
                    let text = &content.text;
                    assert!(text.starts_with(&code), "{name}: the code must come first: {text}");
                    let size = measured(text);
                    assert_eq!(size.2, 1, "{name} has {} characters of {}: {text}", size.0, size.1);
                    let last = format!("\n\n@{LONGEST_HOST} #{code}");
                    assert_eq!(text.ends_with(&last), is_longest && !code.is_empty(), "{text}");
                    let name = name.trim_end_matches(".short").to_owned();
                    let longest = worst.entry(name).or_insert(size);
                    *longest = size.max(*longest);
                }
            }
            for (name, size) in worst {
                rows.entry(name).or_default().push(size);
            }
        }
        for (name, sizes) in rows {
            let [plain, longest] = sizes[..] else { panic!("{name} has two sizes: {sizes:?}") };
            println!(
                "| {name} | {} | {} | {} | {} {} |",
                plain.0, plain.1, plain.2, longest.0, longest.1
            );
        }
    }
}

/// The ids of a file: of messages, and of attributes after a dot.
fn ids(language: &Language) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut message = "";
    for line in language.source().lines() {
        let Some((id, _)) = line.split_once(" =") else { continue };
        if let Some(attribute) = id.trim_start().strip_prefix('.') {
            ids.insert(format!("{message}.{attribute}"));
        } else if id.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            message = id;
            assert!(ids.insert(id.to_owned()), "{id} has two definitions");
        }
    }
    ids
}

#[test]
fn texts_are_there_in_every_language() {
    for (contract, language) in languages() {
        let place = format!("shared/texts/{}/{}.ftl", contract.profile.name, language.tag());
        let needed = |ids: BTreeSet<String>| {
            // What a language needs to form its own words, and its short form, is its own matter.
            let own = |id: &String| {
                !["aim", "lasting", "ignore", "use", "sentence", "minutes", "hours"]
                    .contains(&id.as_str())
                    && !id.contains(".short")
            };
            ids.into_iter().filter(own).collect::<BTreeSet<_>>()
        };
        let first = needed(ids((contract.languages)().first().unwrap()));
        assert!(!first.is_empty(), "{place} is empty");
        assert_eq!(
            needed(ids(language)),
            first,
            "{place} must have the texts of the first language"
        );
    }
}

#[test]
fn texts_name_known_values_only() {
    const MARKS: [char; 9] = [
        '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{2066}', '\u{2067}',
        '\u{2068}', '\u{2069}',
    ];
    for (contract, language) in languages() {
        let place = format!("shared/texts/{}/{}.ftl", contract.profile.name, language.tag());
        assert_eq!(language.errors(), "", "{place}");
        for (id, purpose) in ids(language).iter().flat_map(|id| Purpose::ALL.map(|it| (id, it))) {
            let mut values: FluentArgs<'_> =
                ["code", "name", "text", "to", "digits", "user", "time"]
                    .map(|name| word(name, "7"))
                    .into_iter()
                    .collect();
            values.set("purpose", purpose.as_str());
            for (name, value) in ["minutes", "hours", "count"].map(|name| number(name, 3)) {
                values.set(name, value);
            }
            let (text, errors) = language.format(id, &values).unwrap();
            assert!(errors.is_empty(), "{place}: {id}: {errors:?}");
            assert!(!text.trim().is_empty() && !text.contains(['{', '}']), "{place}: {id}: {text}");
            // Phones show marks of direction as boxes.
            assert!(!text.contains(MARKS), "{place}: {id}: {text:?}");
        }
    }
}

/// The texts by SMS, with what a register calls their variables in the place of code and minutes.
fn registered_texts() -> String {
    let mut rows = Vec::new();
    for (contract, language) in languages().filter(|(contract, _)| sends_texts(contract)) {
        let plain = texts(&contract, language, &ContractTemplates::default(), 77);
        let code_host = Some("h".to_owned());
        let beside_host = ContractTemplates { code_host, ..ContractTemplates::default() };
        let short = texts(&contract, language, &beside_host, 77).into_iter();
        let short = short.filter(|(name, ..)| name.contains(".short"));
        for (name, content, code) in plain.into_iter().chain(short) {
            let text = content.text.split("\n\n").next().unwrap().to_owned();
            if !code.is_empty() {
                assert_eq!(text.matches("77").count(), 1, "{text}");
            }
            let text = text.replace("77", "{#var#}");
            let text = if code.is_empty() { text } else { text.replace(&code, "{#var#}") };
            rows.push(format!("| `{name}` | {text} |\n"));
        }
    }
    rows.concat()
}

#[test]
fn texts_that_a_country_registers_are_those_that_are_sent() {
    let document = include_str!("../../docs/sms-texts.md");
    let texts = registered_texts();
    assert!(document.ends_with(&texts), "shared/docs/sms-texts.md must end with:\n{texts}");
    let names = texts.lines().map(|row| row.split('`').nth(1).unwrap()).collect::<Vec<_>>();
    for name in ["posbytz.verify", "posbytz.verify.hi", "gotu.account_notice.id"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn texts_of_an_earlier_release_keep_their_language() {
    let goodcity = CONTRACTS.into_iter().find(|it| it.profile.name == "goodcity").unwrap();
    // An entry that waits in the outbox has the tag of the release that wrote it.
    for (tag, wanted) in [("zh-tw", "zh-Hant"), ("zh-Hans", "zh-Hans"), ("", "en"), ("xx", "en")] {
        let brand = Brand::default();
        let voice = voice(&goodcity, tag, &brand).unwrap();
        assert_eq!(voice.language.tag(), wanted, "{tag}");
    }
}

#[test]
fn mails_in_english_are_what_they_were_to_the_byte() {
    let templates =
        ContractTemplates { public_url: "https://api.example/".to_owned(), ..Default::default() };
    let of = |name: &str, purpose, minutes| {
        let contract = CONTRACTS.into_iter().find(|it| it.profile.name == name).unwrap();
        let code = OneTimeCode::truncate(&[7; 32], contract.profile.code_format);
        let key = challenge(&contract, purpose);
        let lifetime = Duration::from_mins(minutes);
        let content = templates.code_content(&key, "en", &code, lifetime).unwrap();
        let hidden = |text: String| text.replace(code.expose(), "CODE");
        (content.subject, hidden(content.text), hidden(content.html))
    };
    assert_eq!(
        of("gotu", Purpose::ResetPassword, 1),
        (
            "Your Gotu code to set a new password".to_owned(),
            "CODE is your Gotu code to set a new password. It works for 1 minute. Not you? \
             Ignore this message."
                .to_owned(),
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p>Your Gotu code to set a new password:</p>\
             <p style=\"font-size:2em;letter-spacing:.2em\"><strong>CODE</strong></p>\
             <p>It works for 1 minute. Not you? Ignore this message.</p></body></html>"
                .to_owned()
        )
    );
    let notice = templates.account_notice(&Realm::of_contract("gotu"), "en").unwrap();
    assert_eq!(notice.subject, "You already have a Gotu account");
    assert_eq!(
        notice.html,
        "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
         <p>You already have a Gotu account with this address.</p>\
         <p>Choose \u{201c}log in\u{201d} in the app, with your password or with a code.</p>\
         <p>Not you? Ignore this message.</p></body></html>"
    );
    let (subject, text, html) = of("posbytz", Purpose::ResetPassword, 5);
    assert_eq!(subject, "Set a new password");
    let rest = "is your code to set a new password. It works for 5 minutes. ";
    let end = "Not you? Ignore this message.";
    assert_eq!(text, format!("CODE {rest}{end}"));
    assert_eq!(
        html,
        format!(
            "<!doctype html><html lang=\"en\"><body style=\"font-family:sans-serif\">\
             <p><strong>CODE</strong> {rest}</p><p>{end}</p></body></html>"
        )
    );
    let (subject, text, html) = of("urbanfits", Purpose::SignUp, 5);
    assert_eq!(subject, "Verify your email for UrbanFits");
    let page = "https://api.example/auth/signup/verify-otp";
    let otherwise =
        "If you did not sign up, ignore this mail: without the code there is no account.";
    assert_eq!(
        text,
        format!(
            "CODE is your UrbanFits verification code.\n\n\
             Enter it on the page where you signed up. It works for 5 minutes, once.\n\n\
             The page, in the browser where you signed up:\n{page}\n\n{otherwise}"
        )
    );
    assert_eq!(
        html,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>UrbanFits</title></head>\
             <body style=\"font-family:system-ui,sans-serif;line-height:1.5;max-width:32em\">\
             <p>Your UrbanFits verification code:</p>\
             <p style=\"font-size:2em;letter-spacing:.2em\"><strong>CODE</strong></p>\
             <p>Enter it on the page where you signed up. It works for 5 minutes, once.</p>\
             <p>The page, in the browser where you signed up:<br><a href=\"{page}\">{page}</a></p>\
             <p>{otherwise}</p></body></html>"
        )
    );
}

#[test]
fn a_brand_is_in_texts_and_mails_and_is_escaped() {
    let name = Some("A & B".to_owned());
    let colors = BrandColors::new(Color::parse("#0a5c36").unwrap(), None).ok();
    let help = PageUrl::parse("https://shop.example/?a&b");
    let links = BrandLinks { help, ..BrandLinks::default() };
    let (code_host, public_url) =
        (Some("h.example".to_owned()), Some("https://b.example".to_owned()));
    let brand = Brand { name, colors, links, code_host, public_url, ..Brand::default() };
    let mut templates = ContractTemplates::default();
    for (contract, language) in languages() {
        templates.brands.insert(contract.profile.name.to_owned(), brand.clone());
        let code = OneTimeCode::truncate(&[7; 32], contract.profile.code_format);
        let key = challenge(&contract, Purpose::SignUp);
        let lifetime = Duration::from_mins(5);
        let content = templates.code_content(&key, language.tag(), &code, lifetime).unwrap();
        assert!(content.text.ends_with(&format!("\n\n@h.example #{}", code.expose())));
        if contract.profile.name == "goodcity" {
            continue;
        }
        assert!(content.html.contains(";background:#0a5c36;color:#ffffff\">A &amp; B</p>"));
        assert!(content.html.contains("<a href=\"https://shop.example/?a&amp;b\">"));
        assert!(!content.html.contains("A & B"), "{}", content.html);
        if contract.code_page.is_some() {
            assert!(content.html.contains("href=\"https://b.example/auth/signup/verify-otp\""));
        }
    }
}
