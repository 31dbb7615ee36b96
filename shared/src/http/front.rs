//! A front before the API, such as CloudFront: how it proves itself, and whose address it reports.

use super::caller::gateway_address;
use super::{Response, StatusCode, json};
use crate::domain::source::SourceAddress;
use data_encoding::HEXLOWER_PERMISSIVE;
use lambda_http::Request;
use ring::digest::{SHA256, digest};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use subtle::{Choice, ConstantTimeEq as _};

/// The header with the secret that only the front knows.
const SECRET_HEADER: &str = "x-origin-secret";
/// The header with the address of the client that CloudFront serves. CloudFront overwrites what the
/// client itself sends.
const VIEWER_HEADER: &str = "cloudfront-viewer-address";

/// The front that this API trusts. The default trusts none.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// The SHA-256 of each secret that the front may send. There are two while it is replaced.
    secrets: Vec<[u8; 32]>,
    passage: Passage,
}

/// How a request may reach the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage {
    /// Through the front or past it.
    #[default]
    Any,
    /// Only through the front.
    FrontOnly,
}

/// The reason why a [`Front`] cannot be configured. It does not repeat the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontError {
    #[error("a digest is not 64 hex digits")]
    Digest,
    /// Every request would be refused.
    #[error("the front is required and has no secret")]
    NoSecret,
}

impl Front {
    /// Reads the SHA-256 digests of the secrets: hex digits, separated by commas. An empty list
    /// trusts no front.
    ///
    /// # Errors
    /// A digest is malformed, or the front is the only way and has no secret.
    pub fn parse(digests: &str, passage: Passage) -> Result<Self, FrontError> {
        let digests = digests.split(',').map(str::trim).filter(|digest| !digest.is_empty());
        let secrets = digests.map(|digest| {
            let bytes = HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).ok();
            bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(FrontError::Digest)
        });
        let secrets = secrets.collect::<Result<Vec<[u8; 32]>, _>>()?;
        if secrets.is_empty() && passage == Passage::FrontOnly {
            return Err(FrontError::NoSecret);
        }
        Ok(Self { secrets, passage })
    }

    /// Decides the address of the caller, which [`source_address`](super::source_address) returns
    /// from then on, and removes the secret from the request, so that nothing can log it.
    ///
    /// Returns the response to a request that did not come through a front that is required, in API
    /// Gateway's own format: which contract it is for is not looked at.
    pub fn admit(&self, request: &mut Request) -> Option<Response> {
        let trusted = self.sent(request);
        request.headers_mut().remove(SECRET_HEADER);
        if !trusted && self.passage == Passage::FrontOnly {
            return Some(json(StatusCode::FORBIDDEN, &json!({"message": "Forbidden"})));
        }
        let viewer = if trusted { viewer(request) } else { None };
        if trusted && viewer.is_none() {
            tracing::warn!("the front does not report the address of its client");
        }
        let source = viewer.map(|address| SourceAddress::parse(&address.to_string()));
        let source = source.unwrap_or_else(|| gateway_address(request));
        request.extensions_mut().insert(source);
        None
    }

    /// Returns whether the request has the front's secret. The comparison takes the same time for
    /// every wrong secret. The gateway joins repeated headers, so that a second one makes it wrong.
    fn sent(&self, request: &Request) -> bool {
        let Some(secret) = request.headers().get(SECRET_HEADER) else { return false };
        let sent = digest(&SHA256, secret.as_bytes());
        let matches = |known: &[u8; 32]| known.ct_eq(sent.as_ref());
        self.secrets.iter().map(matches).fold(Choice::from(0), |any, one| any | one).into()
    }
}

/// The address in `CloudFront-Viewer-Address`: `ip:port`. CloudFront writes an IPv6 address without
/// brackets; with brackets it is read as well.
fn viewer(request: &Request) -> Option<IpAddr> {
    let value = request.headers().get(VIEWER_HEADER)?.to_str().ok()?.trim();
    if let Ok(address) = value.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let (address, port) = value.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::source_address;
    use super::*;
    use lambda_http::Body;

    #[test]
    fn the_viewer_of_cloudfront_is_an_address_and_a_port() {
        let viewer = |value: &str| {
            let mut request = Request::new(Body::Empty);
            request.headers_mut().insert(VIEWER_HEADER, value.parse().unwrap());
            viewer(&request).map(|address| address.to_string())
        };
        for (value, address) in [
            ("198.51.100.10:46532", "198.51.100.10"),
            ("2001:db8::1:46532", "2001:db8::1"),
            ("2001:db8:1:2:3:4:5:6:443", "2001:db8:1:2:3:4:5:6"),
            ("[2001:db8::1]:443", "2001:db8::1"),
        ] {
            assert_eq!(viewer(value).as_deref(), Some(address), "{value}");
        }
        for value in ["", "198.51.100.10", "198.51.100.10:", "x:1", "1.2.3.4:99999", "1.2.3.4:5, 6"]
        {
            assert_eq!(viewer(value), None, "{value}");
        }
    }

    const SECRET: &str = "front-secret-4c1d";
    const DIGEST: &str = "0475c2fe646e9be7145c08b8d447d06d36bee260f726f4eb57d648b7ac3bb678";

    /// A request that claims to come from a front with this secret.
    fn with_secret(secret: &str) -> Request {
        let mut request = Request::new(Body::Empty);
        request.headers_mut().insert(SECRET_HEADER, secret.parse().unwrap());
        request.headers_mut().insert(VIEWER_HEADER, "198.51.100.10:46532".parse().unwrap());
        request
    }

    #[test]
    fn a_request_with_the_secret_has_the_viewers_address_and_loses_the_secret() {
        for (digests, secret, source) in [
            (DIGEST, SECRET, "198.51.100.10"),
            (DIGEST, "another", "unknown"),
            (DIGEST, "", "unknown"),
            ("", SECRET, "unknown"),
        ] {
            let mut request = with_secret(secret);
            assert!(Front::parse(digests, Passage::Any).unwrap().admit(&mut request).is_none());
            let source = SourceAddress::parse(source);
            assert_eq!(source_address(&request), source, "{digests} {secret}");
            assert!(!request.headers().contains_key(SECRET_HEADER));
        }
    }

    #[test]
    fn a_front_that_is_required_refuses_every_other_request() {
        let front = Front::parse(DIGEST, Passage::FrontOnly).unwrap();
        assert!(front.admit(&mut with_secret(SECRET)).is_none());
        let refused = front.admit(&mut with_secret("another")).unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(front.admit(&mut Request::new(Body::Empty)).is_some());
    }

    #[test]
    fn a_front_is_configured_by_the_digests_of_its_secrets() {
        let digest = DIGEST;
        for (list, secrets) in [("", 0), (digest, 1), (&format!(" {digest}, {digest},"), 2)] {
            assert_eq!(Front::parse(list, Passage::Any).unwrap().secrets.len(), secrets, "{list}");
        }
        for malformed in ["secret", &digest[1..], &format!("{digest}00"), &format!("{digest} x")] {
            let front = Front::parse(malformed, Passage::Any);
            assert_eq!(front.err(), Some(FrontError::Digest), "{malformed}");
        }
        assert_eq!(Front::parse("", Passage::FrontOnly).err(), Some(FrontError::NoSecret));
    }
}
