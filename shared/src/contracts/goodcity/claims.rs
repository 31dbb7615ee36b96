//! GoodCity's access tokens.

use super::Refusal;
use crate::domain::id::UserId;
use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far in the future a token's birth may lie: the clocks of two machines differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The claims (contracts.md B.3); a user's id is an integer.
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    user_id: u32,
    iat: i64,
    iss: &'a str,
    exp: i64,
}

/// A user's id as the integer that GoodCity's clients expect.
pub(super) fn user_number(user: &UserId) -> Result<u32, PortError> {
    let number = user.as_str().parse();
    number.map_err(|error| PortError::new("read a user's id as a number", format!("{error}")))
}

/// The token of a user who verified at `at`.
///
/// # Errors
/// The token could not be signed.
pub fn token_for(
    user: &UserId,
    at: Timestamp,
    lifetime: Duration,
    issuer: &str,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let iat = at.as_seconds();
    let exp = Timestamp::from_seconds(iat).plus(lifetime).as_seconds();
    let claims = Claims { user_id: user_number(user)?, iat, iss: issuer, exp };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    signer.sign(&claims)
}

/// Whose the genuine claims are, if they hold now.
pub(super) fn holder(claims: &str, issuer: &str, now: Timestamp) -> Result<UserId, Refusal> {
    let claims: Claims<'_> = serde_json::from_str(claims).map_err(|_| Refusal::InvalidToken)?;
    if claims.iss != issuer || claims.iat > now.plus(CLOCK_SKEW).as_seconds() {
        return Err(Refusal::InvalidToken);
    }
    if claims.exp <= now.as_seconds() {
        return Err(Refusal::ExpiredToken);
    }
    Ok(UserId::number(claims.user_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_hold_from_their_birth_to_their_end_for_their_issuer() {
        let claims = r#"{"user_id":7,"iat":1000,"iss":"GoodCityHK","exp":2800}"#;
        let at = |seconds, issuer| holder(claims, issuer, Timestamp::from_seconds(seconds));
        assert_eq!(at(1000, "GoodCityHK"), Ok(UserId::number(7)));
        assert_eq!(at(940, "GoodCityHK"), Ok(UserId::number(7)));
        assert_eq!(at(939, "GoodCityHK"), Err(Refusal::InvalidToken));
        assert_eq!(at(2799, "GoodCityHK"), Ok(UserId::number(7)));
        assert_eq!(at(2800, "GoodCityHK"), Err(Refusal::ExpiredToken));
        assert_eq!(at(1000, "other"), Err(Refusal::InvalidToken));
        for bad in ["{}", r#"{"user_id":"7","iat":1000,"iss":"GoodCityHK","exp":2800}"#] {
            let held = holder(bad, "GoodCityHK", Timestamp::from_seconds(1000));
            assert_eq!(held, Err(Refusal::InvalidToken), "{bad}");
        }
    }
}
