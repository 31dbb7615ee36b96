//! The caller: source address, headers, credentials.

use crate::domain::source::{Source, SourceAddress};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt as _};

/// The address of the caller: the one that [`Front::admit`](super::Front::admit) decided on, or the
/// one that the gateway saw. All other headers are ignored, because a caller can write any address
/// in them.
#[must_use]
pub fn source_address(request: &Request) -> SourceAddress {
    let decided = request.extensions().get::<SourceAddress>();
    decided.cloned().unwrap_or_else(|| gateway_address(request))
}

/// The address that the gateway saw.
pub(super) fn gateway_address(request: &Request) -> SourceAddress {
    let address = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    SourceAddress::parse(address.unwrap_or_default())
}

/// The source of a request that names no client and no device.
#[must_use]
pub fn source(request: &Request) -> Source {
    Source::of_address(source_address(request))
}

/// The value of a header in ASCII; `None` if it is absent, empty or not in ASCII.
#[must_use]
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let value = request.headers().get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

/// The text of a header that describes the caller, such as the model of a device. RFC 9110, section
/// 5.5, leaves bytes beyond ASCII open: a text is UTF-8 if it can be, otherwise Latin-1. `None` if it
/// is absent or empty.
#[must_use]
pub fn header_text(request: &Request, name: &str) -> Option<String> {
    let bytes = request.headers().get(name)?.as_bytes();
    let text = str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The start of the text of a header, of at most `most` bytes. No character is cut in two.
#[must_use]
pub fn header_start(request: &Request, name: &str, most: usize) -> Option<String> {
    let mut text = header_text(request, name)?;
    text.truncate(text.floor_char_boundary(most));
    Some(text)
}

/// The token of an `Authorization: Bearer …` header (RFC 6750 2.1).
#[must_use]
pub fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The value of a cookie of the request (RFC 6265 4.2).
#[must_use]
pub fn cookie<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all("cookie").iter();
    let pairs = headers.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    fn with_model(value: &[u8]) -> Request {
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert("x-model", value.try_into().unwrap());
        request
    }

    #[test]
    fn a_header_that_describes_the_caller_keeps_every_character() {
        let text = |value: &[u8]| header_text(&with_model(value), "x-model");
        assert_eq!(text(" 小米 14 ".as_bytes()).as_deref(), Some("小米 14"));
        assert_eq!(text(b"Caf\xe9").as_deref(), Some("Café"), "Latin-1");
        assert_eq!(text(b"Phone 1").as_deref(), Some("Phone 1"));
        for empty in [&b""[..], b"  ", "\u{3000}".as_bytes()] {
            assert_eq!(text(empty), None);
        }
        assert_eq!(header_text(&Request::new(Body::Empty), "x-model"), None);
        // A credential is ASCII.
        assert_eq!(header(&with_model("小米".as_bytes()), "x-model"), None);
    }

    #[test]
    fn a_long_header_is_cut_between_two_characters() {
        let start = |most| header_start(&with_model("小米14".as_bytes()), "x-model", most).unwrap();
        assert_eq!([start(2), start(3), start(7), start(8)], ["", "小", "小米1", "小米14"]);
        assert_eq!(start(100), "小米14");
    }
}
