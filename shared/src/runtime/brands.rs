//! Reads the brands from the JSON that the deployment gives (`shared/docs/texts.md`).

use crate::domain::email::EmailAddress;
use crate::domain::sender::{MailSender, MailSenders};
use crate::http::{Brand, BrandColors, BrandLinks, Color, PageUrl};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest name. Every text is still one segment of an SMS with it.
const LONGEST_NAME: usize = 12;
/// The longest host of the last line of a text, for the same reason.
const LONGEST_HOST: usize = 30;

/// What is wrong with the brands.
#[derive(Debug, thiserror::Error)]
pub enum BrandsError {
    #[error("BRANDS is not a JSON object of brands by contract: {0}")]
    Json(#[from] serde_json::Error),
    /// The contract, and the rule of the format that its brand breaks.
    #[error("the brand of {0} in BRANDS: {1}")]
    Brand(String, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stated {
    name: Option<String>,
    color: Option<String>,
    text_color: Option<String>,
    logo: Option<String>,
    #[serde(default)]
    links: BTreeMap<Link, String>,
    code_host: Option<String>,
    public_url: Option<String>,
    address: Option<String>,
    sender: Option<String>,
    reply_to: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
enum Link {
    SignUp,
    SignIn,
    Shop,
    Help,
}

/// Reads the brands by contract. An empty text has none.
///
/// # Errors
/// The text is not an object of brands, or a value could not be used. The error names it.
pub(crate) fn read(text: &str, contracts: &[&str]) -> Result<BTreeMap<String, Brand>, BrandsError> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let stated: BTreeMap<String, Stated> = serde_json::from_str(text)?;
    let brands = stated.into_iter().map(|(contract, stated)| {
        if !contracts.contains(&contract.as_str()) {
            let known = contracts.join(", ");
            return Err(BrandsError::Brand(contract, format!("the contracts are {known}")));
        }
        match brand(stated) {
            Ok(brand) => Ok((contract, brand)),
            Err(broken) => Err(BrandsError::Brand(contract, broken)),
        }
    });
    brands.collect()
}

/// Returns the senders of mails. A brand without an address has that of the stack.
pub(crate) fn mail_senders(address: String, brands: &BTreeMap<String, Brand>) -> MailSenders {
    let by_contract = brands.iter().map(|(contract, brand)| {
        let address = brand.address.as_ref().unwrap_or(&address).clone();
        let (name, reply_to) = (brand.sender.clone(), brand.reply_to.clone());
        (contract.clone(), MailSender { address, name, reply_to })
    });
    let by_contract = by_contract.collect();
    MailSenders { default: MailSender { address, ..MailSender::default() }, by_contract }
}

fn brand(stated: Stated) -> Result<Brand, String> {
    let Stated { name, color, text_color, logo, mut links, .. } = stated;
    let url = |name: &str, url: Option<String>| {
        let Some(url) = url else { return Ok(None) };
        let rule = || format!("{name} must be a URL that begins with https:// and names a host");
        PageUrl::parse(&url).map(Some).ok_or_else(rule)
    };
    let mut link = |kind, name| url(name, links.remove(&kind));
    let links = BrandLinks {
        sign_up: link(Link::SignUp, "links.signUp")?,
        sign_in: link(Link::SignIn, "links.signIn")?,
        shop: link(Link::Shop, "links.shop")?,
        help: link(Link::Help, "links.help")?,
    };
    Ok(Brand {
        name: checked("name", name, is_name, "1 to 12 letters, digits, spaces or .&-")?,
        colors: colors(color.as_deref(), text_color.as_deref())?,
        logo: url("logo", logo)?,
        links,
        code_host: checked(
            "codeHost",
            stated.code_host,
            is_host,
            "a host of 30 characters at most",
        )?,
        public_url: checked(
            "publicUrl",
            stated.public_url,
            is_public_url,
            "a URL that begins with https:// (or http:// for tests) and names a host",
        )?,
        address: checked("address", stated.address, is_address, "an e-mail address")?,
        sender: checked(
            "sender",
            stated.sender,
            is_name_of_mailbox,
            "1 to 60 printable characters of ASCII without \" and \\",
        )?,
        reply_to: checked("replyTo", stated.reply_to, is_address, "an e-mail address")?,
    })
}

fn checked(
    name: &str,
    value: Option<String>,
    is: fn(&str) -> bool,
    rule: &str,
) -> Result<Option<String>, String> {
    match value {
        Some(value) if !is(&value) => Err(format!("{name} must be {rule}")),
        value => Ok(value),
    }
}

fn colors(accent: Option<&str>, text: Option<&str>) -> Result<Option<BrandColors>, String> {
    let read = |name: &str, text: &str| {
        Color::parse(text).ok_or_else(|| format!("{name} must be a colour such as #0a5c36"))
    };
    let Some(accent) = accent else {
        return if text.is_none() { Ok(None) } else { Err("textColor needs a color".to_owned()) };
    };
    let text = text.map(|text| read("textColor", text)).transpose()?;
    let colors = BrandColors::new(read("color", accent)?, text).map_err(|hundredths| {
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        format!("color and textColor have a contrast of {whole}.{rest:02}, and must have 4.5")
    })?;
    Ok(Some(colors))
}

/// Letters that count once in GSM 03.38, and in no register as another sign.
fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" .&-".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.trim() == name && name.bytes().all(known)
}

fn is_name_of_mailbox(name: &str) -> bool {
    let known = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    (1..=60).contains(&name.len()) && name.trim() == name && name.bytes().all(known)
}

fn is_host(host: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let label = |label: &str| !label.is_empty() && label.bytes().all(known);
    host.len() <= LONGEST_HOST && host.split('.').all(label)
}

fn is_address(address: &str) -> bool {
    address.is_ascii() && EmailAddress::parse(address).is_ok()
}

/// A local stack and a test have no TLS.
fn is_public_url(url: &str) -> bool {
    let secure = url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    PageUrl::parse(secure.as_deref().unwrap_or(url)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACTS: [&str; 2] = ["one", "other"];

    #[test]
    fn a_brand_has_its_parts_and_no_others() {
        let text = r##"{"one": {"name": "Acme & Co", "color": "#0a5c36",
            "logo": "https://cdn.acme.example/logo.png", "links": {"help": "https://acme.example/help"},
            "codeHost": "app.acme.example", "publicUrl": "https://api.acme.example",
            "address": "hello@acme.example", "sender": "Acme, the shop", "replyTo": "care@acme.example"}}"##;
        let brands = read(text, &CONTRACTS).unwrap();
        let brand = brands.get("one").unwrap();
        assert_eq!(brand.name.as_deref(), Some("Acme & Co"));
        assert_eq!(brand.colors.unwrap().text().to_string(), "#ffffff");
        assert_eq!(brand.links.help.as_ref().unwrap().as_str(), "https://acme.example/help");
        assert_eq!(brand.links.shop, None);
        assert_eq!(brand.code_host.as_deref(), Some("app.acme.example"));
        assert_eq!(brands.get("other"), None);
        let senders = mail_senders("no-reply@latchkey.example".to_owned(), &brands);
        assert_eq!(senders.of("one").header(), "\"Acme, the shop\" <hello@acme.example>");
        assert_eq!(senders.of("one").reply_to.as_deref(), Some("care@acme.example"));
        assert_eq!(senders.of("other").header(), "no-reply@latchkey.example");
        assert!(read(" ", &CONTRACTS).unwrap().is_empty());
        assert_eq!(read(r#"{"one": {}}"#, &CONTRACTS).unwrap().get("one"), Some(&Brand::default()));
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        for (brand, wanted) in [
            (
                r#"{"name": "A name that is long"}"#,
                "the brand of one in BRANDS: name must be 1 to 12",
            ),
            (r#"{"name": ""}"#, "name must be"),
            (r#"{"name": "Café"}"#, "name must be"),
            (r##"{"color": "#fff"}"##, "color must be a colour"),
            (r##"{"color": "#777777", "textColor": "#ffffff"}"##, "contrast of 4.47, and must"),
            (r##"{"textColor": "#ffffff"}"##, "textColor needs a color"),
            (r#"{"logo": "http://acme.example/logo.png"}"#, "logo must be a URL"),
            (r#"{"links": {"shop": "javascript:alert(1)"}}"#, "links.shop must be a URL"),
            (r#"{"links": {"blog": "https://acme.example"}}"#, "unknown variant `blog`"),
            (r#"{"codeHost": "https://acme.example"}"#, "codeHost must be a host"),
            (r#"{"codeHost": "a-host-of-more-than-thirty.example"}"#, "codeHost must be a host"),
            (r#"{"publicUrl": "acme.example"}"#, "publicUrl must be a URL"),
            (r#"{"address": "acme.example"}"#, "address must be an e-mail address"),
            (r#"{"replyTo": "a b@acme.example"}"#, "replyTo must be an e-mail address"),
            (r#"{"sender": "A\" <b@c.example>"}"#, "sender must be"),
            (r#"{"sender": "A\nBcc: b@c.example"}"#, "sender must be"),
            (r#"{"colour": "red"}"#, "unknown field `colour`"),
        ] {
            let error = read(&format!(r#"{{"one": {brand}}}"#), &CONTRACTS).unwrap_err();
            assert!(error.to_string().contains(wanted), "{brand}: {error}");
        }
        let unknown = read(r#"{"acme": {}}"#, &CONTRACTS).unwrap_err().to_string();
        assert_eq!(unknown, "the brand of acme in BRANDS: the contracts are one, other");
        assert!(read("[]", &CONTRACTS).unwrap_err().to_string().contains("not a JSON object"));
    }

    #[test]
    fn the_template_puts_the_brands_of_parameters_together() {
        let template = include_str!("../../../template.yaml");
        let lines = template.lines().filter(|line| line.contains("\":${Brand"));
        let mut seen = 0;
        for line in lines {
            let start = line.find("{\"").unwrap();
            let end = line.rfind('}').unwrap();
            let mut json = line.get(start..=end).unwrap().to_owned();
            while let Some((before, rest)) = json.split_once("${") {
                let after = rest.split_once('}').unwrap().1;
                json = format!("{before}{{\"name\":\"Acme\"}}{after}");
            }
            let contracts: BTreeMap<String, serde_json::Value> =
                serde_json::from_str(&json).unwrap();
            let contracts: Vec<_> = contracts.keys().map(String::as_str).collect();
            let brands = read(&json, &contracts).unwrap();
            assert!(brands.values().all(|brand| brand.name.as_deref() == Some("Acme")), "{line}");
            seen += brands.len();
        }
        // All contracts for the relay, and one for each of three functions with pages.
        assert_eq!(seen, 7);
    }
}
