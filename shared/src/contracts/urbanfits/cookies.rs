//! The two cookies of a session (CONTRACT.md, "Cookies").

use crate::http::{CookiePolicy, Response};
use crate::ports::PortError;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::SET_COOKIE;
use std::time::Duration;

/// The name of the cookie with the session's token.
pub(super) const SESSION_TOKEN: &str = "session-token";

/// Adds the cookie with the session's token, and the flag that pages can read, to a response: two
/// headers with the attributes that the original sets.
///
/// # Errors
/// The domain is not a valid header value.
pub(super) fn session_cookies(
    response: Response,
    token: &str,
    lifetime: Duration,
    policy: &CookiePolicy,
) -> Result<Response, PortError> {
    set(response, [token, "true"], lifetime, policy)
}

fn set(
    mut response: Response,
    [token, flag]: [&str; 2],
    lifetime: Duration,
    policy: &CookiePolicy,
) -> Result<Response, PortError> {
    let lifetime = lifetime.as_secs();
    let domain = policy.domain.as_deref();
    let domain = domain.map(|domain| format!(" Domain={domain};")).unwrap_or_default();
    let shared = "Secure; Priority=High; SameSite=None";
    let cookies = [
        format!("{SESSION_TOKEN}={token}; Max-Age={lifetime};{domain} Path=/; HttpOnly; {shared}"),
        format!("is_logged_in={flag}; Max-Age={lifetime};{domain} Path=/; {shared}"),
    ];
    for cookie in cookies {
        let value = HeaderValue::from_str(&cookie);
        let value = value.map_err(|error| PortError::new("set a cookie", error))?;
        response.headers_mut().append(SET_COOKIE, value);
    }
    Ok(response)
}

/// Adds the two cookies, already expired, so that browsers delete them.
///
/// # Errors
/// The domain is not a valid header value.
pub fn cleared_cookies(response: Response, policy: &CookiePolicy) -> Result<Response, PortError> {
    set(response, ["", ""], Duration::ZERO, policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::{REMEMBERED_LIFETIME, SessionKind, SessionLifetimes};
    use crate::http::empty;
    use lambda_http::http::StatusCode;

    fn cookies(domain: Option<&str>) -> Vec<String> {
        let lifetimes = SessionLifetimes {
            usual: Duration::from_hours(7 * 24),
            remembered: REMEMBERED_LIFETIME,
        };
        let policy = CookiePolicy { lifetimes, domain: domain.map(str::to_owned) };
        let lifetime = policy.lifetimes.of(SessionKind::Usual);
        let response = session_cookies(empty(StatusCode::OK), "a.b.c", lifetime, &policy).unwrap();
        let cookies = response.headers().get_all(SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_cookies_have_the_attributes_of_the_original() {
        assert_eq!(
            cookies(Some(".urbanfits.ae")),
            [
                "session-token=a.b.c; Max-Age=604800; Domain=.urbanfits.ae; Path=/; HttpOnly; \
                 Secure; Priority=High; SameSite=None",
                "is_logged_in=true; Max-Age=604800; Domain=.urbanfits.ae; Path=/; Secure; \
                 Priority=High; SameSite=None",
            ]
        );
        assert_eq!(
            cookies(None)[1],
            "is_logged_in=true; Max-Age=604800; Path=/; Secure; Priority=High; SameSite=None"
        );
    }
}
