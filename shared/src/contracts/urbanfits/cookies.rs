//! The two cookies of a session.

use crate::http::{CookiePolicy, Response};
use crate::ports::PortError;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::SET_COOKIE;
use std::time::Duration;

/// The cookie that holds the session.
pub(super) const SESSION_TOKEN: &str = "session-token";

/// Adds the session's token, and the flag that pages can read, to a response: two headers, to the
/// attribute as the original sets them.
///
/// # Errors
/// The domain is not a header text.
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

/// Adds the two cookies in a form that makes browsers forget them.
///
/// # Errors
/// The domain is not a header text.
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
        let answer = session_cookies(empty(StatusCode::OK), "a.b.c", lifetime, &policy).unwrap();
        let cookies = answer.headers().get_all(SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn cookies_are_those_of_the_original() {
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
