//! The language of a caller (`Accept-Language`, RFC 9110, 12.5.4), chosen by lookup (RFC 4647, 3.4).
//!
//! Our own code, because the crates lose what the header says: `fluent-langneg` drops the weights, and
//! `accept-language` compares whole tags only. Neither knows that `q=0` excludes.

use super::header;
use lambda_http::Request;

/// The regions whose Chinese is written in one script, where the tag names none (CLDR, likely subtags).
const CHINESE: [(&str, &str); 6] = [
    ("cn", "hans"),
    ("hk", "hant"),
    ("mo", "hant"),
    ("my", "hans"),
    ("sg", "hans"),
    ("tw", "hant"),
];
/// Tags that some clients still send, and the language that they mean (the IANA registry of subtags).
const ALIASES: [(&str, &str); 3] = [("in", "id"), ("cmn", "zh"), ("yue", "zh-hant")];

/// Returns the language of `known` that the caller prefers. The first of `known` is the default: for a
/// caller that states nothing, nothing known or nothing readable.
#[must_use]
pub fn locale<'a>(request: &Request, known: &[&'a str]) -> &'a str {
    choose(header(request, "accept-language").unwrap_or_default(), known)
}

/// Returns the language of `known` that has the tag, or is nearest to it; else the first.
#[must_use]
pub fn nearest<'a>(tag: &str, known: &[&'a str]) -> &'a str {
    choose(tag, known)
}

/// A language range with its weight in thousandths.
struct Range {
    tag: String,
    weight: u16,
}

fn choose<'a>(accepted: &str, known: &[&'a str]) -> &'a str {
    let mut ranges: Vec<_> = accepted.split(',').filter_map(range).collect();
    // The sort is stable: of two equal weights, the first in the header wins.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight));
    // The longest range that covers a language decides whether it is excluded.
    let is_open = |tag: &&&str| {
        let covering = ranges.iter().filter(|range| covers(&range.tag, &expanded(tag)));
        covering
            .max_by_key(|range| (range.tag != "*", range.tag.len()))
            .is_none_or(|it| it.weight > 0)
    };
    let wanted = ranges.iter().filter(|range| range.weight > 0);
    let found = wanted.filter_map(|range| {
        if range.tag == "*" {
            // Any language that no other range names.
            let named = |tag: &str| {
                let others = ranges.iter().filter(|range| range.tag != "*");
                others.into_iter().any(|range| covers(&range.tag, &expanded(tag)))
            };
            return known.iter().find(|tag| !named(tag));
        }
        lookup(&range.tag, known, &is_open)
    });
    let first = || known.iter().find(is_open).or_else(|| known.first());
    found.into_iter().next().or_else(first).copied().unwrap_or("en")
}

/// Reads a range with its weight; `None` if it is malformed.
fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';');
    let tag = parts.next()?.trim();
    let is_subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if tag != "*" && !tag.split(['-', '_']).all(is_subtag) {
        return None;
    }
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| weight(value.trim())).flatten()?
        }
    };
    Some(Range { tag: expanded(tag), weight })
}

/// Reads a weight: 0 to 1 with three decimals at most (RFC 9110, 12.4.2).
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_known = matches!(whole, "0" | "1")
        && decimals.len() <= 3
        && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (is_known && thousandths <= 1000).then_some(thousandths)
}

/// Returns a tag in lower case with hyphens, without its alias, and for Chinese with the script of its
/// region in the region's place.
fn expanded(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let (language, rest) = tag.split_once('-').unwrap_or((&tag, ""));
    let alias = ALIASES.iter().find(|(from, _)| *from == language);
    let language = alias.map_or(language, |(_, to)| *to);
    if language != "zh" {
        let rest = if language.contains('-') { "" } else { rest };
        return [language, rest].join("-").trim_end_matches('-').to_owned();
    }
    let script = rest.split('-').find_map(|part| {
        let of_region = CHINESE.iter().find(|(region, _)| *region == part);
        let is_script = matches!(part, "hans" | "hant").then_some(part);
        is_script.or_else(|| of_region.map(|(_, script)| *script))
    });
    // An extended subtag, such as that of Cantonese.
    let script = script.or_else(|| rest.split('-').any(|part| part == "yue").then_some("hant"));
    script.map_or_else(|| "zh".to_owned(), |script| format!("zh-{script}"))
}

/// Returns whether a range matches a tag or begins it (RFC 4647, 3.3.1).
fn covers(range: &str, tag: &str) -> bool {
    let rest = tag.strip_prefix(range);
    range == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Shortens a range until a language has it as its tag, or begins with it.
fn lookup<'k, 'a>(
    range: &str,
    known: &'k [&'a str],
    is_open: &impl Fn(&&'k &'a str) -> bool,
) -> Option<&'k &'a str> {
    let mut rest = range;
    loop {
        let exact = known.iter().filter(is_open).find(|tag| expanded(tag) == rest);
        let found =
            exact.or_else(|| known.iter().filter(is_open).find(|tag| covers(rest, &expanded(tag))));
        if found.is_some() {
            return found;
        }
        rest = rest.rsplit_once('-')?.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    const CITY: [&str; 3] = ["en", "zh-Hant", "zh-Hans"];
    const ISLANDS: [&str; 2] = ["en", "id"];

    #[test]
    fn the_language_follows_the_weights() {
        for (accepted, known, wanted) in [
            // The default.
            ("", &CITY[..], "en"),
            ("fr", &CITY, "en"),
            ("fr,de;q=0.9", &ISLANDS, "en"),
            // The order decides between equal weights, and the weight before the order.
            ("zh-TW,zh;q=0.9,en;q=0.8", &CITY, "zh-Hant"),
            ("en;q=0.5,zh-CN", &CITY, "zh-Hans"),
            ("en;q=0.5, zh-Hant;q=0.501", &CITY, "zh-Hant"),
            ("en;q=0.7,zh-CN;q=0.7", &CITY, "en"),
            ("fr, zh;q=0.5", &CITY, "zh-Hant"),
            ("id,en;q=0.9", &ISLANDS, "id"),
            ("en,id;q=0.9", &ISLANDS, "en"),
            // Lookup shortens a range.
            ("en-GB", &CITY, "en"),
            ("id-ID-x-private", &ISLANDS, "id"),
            ("de-DE-1996,id-ID;q=0.1", &ISLANDS, "id"),
            // Scripts of Chinese.
            ("zh-HK", &CITY, "zh-Hant"),
            ("zh-TW", &CITY, "zh-Hant"),
            ("zh-tw", &CITY, "zh-Hant"),
            ("zh_TW", &CITY, "zh-Hant"),
            ("zh-Hant-CN", &CITY, "zh-Hant"),
            ("zh-MO", &CITY, "zh-Hant"),
            ("zh-CN", &CITY, "zh-Hans"),
            ("zh-SG", &CITY, "zh-Hans"),
            ("zh-Hans-HK", &CITY, "zh-Hans"),
            ("zh", &CITY, "zh-Hant"),
            ("zh-US", &CITY, "zh-Hant"),
            ("yue-HK", &CITY, "zh-Hant"),
            ("zh-yue", &CITY, "zh-Hant"),
            ("cmn-CN", &CITY, "zh-Hans"),
            // The tag of Indonesian that Java had.
            ("in-ID", &ISLANDS, "id"),
            // A weight of zero excludes.
            ("en;q=0", &ISLANDS, "id"),
            ("en;q=0.000,fr", &ISLANDS, "id"),
            ("zh-CN;q=0,zh", &CITY, "zh-Hant"),
            ("zh-TW;q=0,zh", &CITY, "zh-Hans"),
            ("zh;q=0,zh-CN", &CITY, "zh-Hans"),
            ("zh;q=0,zh-CN;q=0.1,en;q=0.2", &CITY, "en"),
            ("en-GB;q=0,en", &CITY, "en"),
            ("*;q=0", &CITY, "en"),
            ("id,*;q=0", &ISLANDS, "id"),
            // Any other language.
            ("*", &CITY, "en"),
            ("en;q=0,*", &CITY, "zh-Hant"),
            ("zh-CN;q=0.5,*;q=0.8", &CITY, "en"),
            ("en;q=0.5,*;q=0.8", &ISLANDS, "id"),
            ("fr,*;q=0.1", &ISLANDS, "en"),
            // What is malformed is left out.
            ("id;q=2,en;q=0.1", &ISLANDS, "en"),
            ("id;q=x", &ISLANDS, "en"),
            ("id;q=0.1234", &ISLANDS, "en"),
            ("id;level=1", &ISLANDS, "en"),
            ("i d,,;q=1,id", &ISLANDS, "id"),
            ("verylonglanguage,id", &ISLANDS, "id"),
            (" ID ; Q=1.000 , en ; q=0.9 ", &ISLANDS, "id"),
        ] {
            let mut request = Request::new(Body::Empty);
            request.headers_mut().insert("accept-language", accepted.parse().unwrap());
            assert_eq!(locale(&request, known), wanted, "{accepted}");
        }
        assert_eq!(locale(&Request::new(Body::Empty), &ISLANDS), "en");
        assert_eq!(nearest("zh-tw", &CITY), "zh-Hant");
        assert_eq!(nearest("", &CITY), "en");
    }
}
