//! What is in a message: its code, its link, its segments and the country of its recipient.

use serde::Serialize;

/// The characters of the GSM 7-bit alphabet that are not in ASCII or are two septets long
/// (3GPP TS 23.038, section 6.2.1).
const GSM_OTHER: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
/// The characters of its extension table: two septets each.
const GSM_TWO: &str = "^{}\\[~]|€";
/// The characters of ASCII that it does not have.
const GSM_NOT: &str = "`";

/// The digits of a code.
const CODE_DIGITS: std::ops::RangeInclusive<usize> = 4..=6;

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Segments {
    pub(crate) encoding: &'static str,
    pub(crate) segments: usize,
}

/// Returns the code of a message: the first 4 to 6 digits that stand alone and in no link.
pub(crate) fn code(body: &str) -> Option<&str> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = body.split_whitespace().filter(|word| !word.contains("://"));
    words.flat_map(|text| text.split(move |letter| !is_word(letter))).find(|word| {
        CODE_DIGITS.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Returns the first link of a message.
pub(crate) fn link(body: &str) -> Option<&str> {
    let start = ["https://", "http://"].iter().filter_map(|scheme| body.find(scheme)).min()?;
    let rest = body.get(start..)?;
    let end = rest.find(|letter: char| letter.is_whitespace() || "<>\"".contains(letter));
    let link = rest.get(..end.unwrap_or(rest.len()))?;
    Some(link.trim_end_matches(['.', ',', ')', ';', '!', '?']))
}

/// Returns how many segments a text has, and in which alphabet.
pub(crate) fn segments(text: &str) -> Segments {
    let septets = text.chars().map(|letter| match letter {
        _ if GSM_TWO.contains(letter) => Some(2),
        _ if GSM_OTHER.contains(letter) => Some(1),
        '\n' | '\r' => Some(1),
        ' '..='~' if !GSM_NOT.contains(letter) => Some(1),
        _ => None,
    });
    if let Some(septets) = septets.sum::<Option<usize>>() {
        return Segments { encoding: "GSM-7", segments: parts(septets, 160, 153) };
    }
    let units = text.encode_utf16().count();
    Segments { encoding: "UCS-2", segments: parts(units, 70, 67) }
}

/// A text of one part has more room than each part of several.
fn parts(length: usize, alone: usize, joined: usize) -> usize {
    if length <= alone { 1 } else { length.div_ceil(joined) }
}

/// Returns the region (ISO 3166) of a phone number.
pub(crate) fn country(phone: &str) -> Option<String> {
    let number = phonenumber::parse(None, phone).ok()?;
    number.country().id().map(|id| id.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_alone() {
        for (body, expected) in [
            ("50905 is your code", Some("50905")),
            ("Your code: 123456. It ends in 5 minutes", Some("123456")),
            ("+6282243350992 a12345 1234567 12", None),
            ("in 10 minutes: 4321", Some("4321")),
            ("@latchkey.example #50905", Some("50905")),
            ("open http://127.0.0.1:9000/x?token=12345", None),
        ] {
            assert_eq!(code(body), expected, "{body}");
        }
    }

    #[test]
    fn a_link_ends_before_what_is_not_of_it() {
        for (body, expected) in [
            ("open http://a.example/x?token=1&id=2.", Some("http://a.example/x?token=1&id=2")),
            ("<a href=\"https://a.example/y\">z</a>", Some("https://a.example/y")),
            ("https://a.example", Some("https://a.example")),
            ("nothing", None),
        ] {
            assert_eq!(link(body), expected, "{body}");
        }
    }

    #[test]
    fn segments_are_those_of_the_alphabet() {
        for (text, encoding, count) in [
            ("a".repeat(160), "GSM-7", 1),
            ("a".repeat(161), "GSM-7", 2),
            ("€".repeat(80), "GSM-7", 1),
            ("€".repeat(81), "GSM-7", 2),
            ("é`".to_owned(), "UCS-2", 1),
            ("碼".repeat(70), "UCS-2", 1),
            ("碼".repeat(71), "UCS-2", 2),
            ("🎉".repeat(35), "UCS-2", 1),
            ("🎉".repeat(36), "UCS-2", 2),
        ] {
            assert_eq!(segments(&text), Segments { encoding, segments: count }, "{text}");
        }
    }

    #[test]
    fn a_number_has_a_country() {
        for (phone, expected) in [
            ("+6282243350992", Some("ID")),
            ("+85291234567", Some("HK")),
            ("+919876543210", Some("IN")),
            ("+14155550123", Some("US")),
            ("a@b.example", None),
        ] {
            assert_eq!(country(phone).as_deref(), expected, "{phone}");
        }
    }
}
