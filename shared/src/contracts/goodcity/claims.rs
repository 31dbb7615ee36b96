//! GoodCity's access tokens.

use super::Refusal;
use crate::contracts::tokens;
use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The claims of an access token (CONTRACT.md, "Tokens"). The id of a user is an integer.
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    user_id: u32,
    iat: i64,
    /// Empty if no issuer is configured.
    iss: &'a str,
    exp: i64,
}

/// The id of a user as the integer that GoodCity's clients expect.
pub(super) fn user_number(user: &UserId) -> Result<u32, PortError> {
    let number = user.as_str().parse();
    number.map_err(|error| PortError::new("read a user's id as a number", format!("{error}")))
}

/// The access token of a user who was verified at `at`.
///
/// # Errors
/// The token could not be signed.
pub fn token_for(
    user: &UserId,
    at: Timestamp,
    lifetime: Duration,
    issuer: Option<&str>,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let (iat, exp) = tokens::times(at, lifetime);
    let iss = issuer.unwrap_or_default();
    tokens::sign(&Claims { user_id: user_number(user)?, iat, iss, exp }, signer)
}

/// The user and the time of issue of genuine claims.
///
/// # Errors
/// [`Refusal::InvalidToken`] or [`Refusal::ExpiredToken`] unless the token is valid now.
pub(super) fn holder(
    claims: &str,
    issuer: Option<&str>,
    now: Timestamp,
) -> Result<(UserId, Timestamp), Refusal> {
    let claims: Claims<'_> = serde_json::from_str(claims).map_err(|_| Refusal::InvalidToken)?;
    if claims.iss != issuer.unwrap_or_default() || !tokens::has_begun(claims.iat, now) {
        return Err(Refusal::InvalidToken);
    }
    if claims.exp <= now.as_seconds() {
        return Err(Refusal::ExpiredToken);
    }
    Ok((UserId::number(claims.user_id), Timestamp::from_seconds(claims.iat)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_valid_for_its_issuer_from_its_time_of_issue_to_its_end() {
        let claims = r#"{"user_id":7,"iat":1000,"iss":"GoodCityHK","exp":2800}"#;
        let at = |seconds, issuer| holder(claims, Some(issuer), Timestamp::from_seconds(seconds));
        let known = || Ok((UserId::number(7), Timestamp::from_seconds(1000)));
        assert_eq!(at(1000, "GoodCityHK"), known());
        assert_eq!(at(940, "GoodCityHK"), known());
        assert_eq!(at(939, "GoodCityHK"), Err(Refusal::InvalidToken));
        assert_eq!(at(2799, "GoodCityHK"), known());
        assert_eq!(at(2800, "GoodCityHK"), Err(Refusal::ExpiredToken));
        assert_eq!(at(1000, "other"), Err(Refusal::InvalidToken));
        for bad in ["{}", r#"{"user_id":"7","iat":1000,"iss":"GoodCityHK","exp":2800}"#] {
            let result = holder(bad, Some("GoodCityHK"), Timestamp::from_seconds(1000));
            assert_eq!(result, Err(Refusal::InvalidToken), "{bad}");
        }
    }
}
