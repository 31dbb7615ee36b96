//! Gotu's access tokens.

use super::wire::{self, Session, Tokens};
use crate::domain::challenge::Purpose;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use crate::usecases::{OpenSession, RecipientProof, Refreshed, SignedIn};
use data_encoding::BASE32_DNSSEC;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Who issues the tokens.
const ISSUER: &str = "auth-service";

/// How far in the future a token's birth may lie: the clocks of two machines differ.
const CLOCK_SKEW: Duration = Duration::from_mins(1);
/// How long a request token works.
const REQUEST_TOKEN_LIFE: Duration = Duration::from_mins(10);

/// The ten claims, in the order of the documented token (contracts.md section 1).
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    exp: i64,
    nbf: i64,
    iat: i64,
    /// 20 characters, as an xid has, but all of it random.
    jti: String,
    id: &'a str,
    /// Empty when the person gave none, as in the original.
    user_type: &'a str,
    is_admin: bool,
    device_id: u32,
}

/// A device's id as the integer that Gotu's clients expect.
pub(super) fn device_number(device: &DeviceId) -> Result<u32, PortError> {
    let number = device.as_str().parse();
    number.map_err(|error| PortError::new("read a device's id as a number", format!("{error}")))
}

/// The answer that carries a new session, with an access token that works for `lifetime`.
///
/// # Errors
/// The token could not be signed.
pub fn session_issued(
    session: &OpenSession,
    user_type: &str,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let grant = &session.grant;
    let issued = grant.issued_at.as_seconds();
    let claims = Claims {
        iss: ISSUER,
        sub: grant.user.as_str(),
        exp: Timestamp::from_seconds(issued).plus(lifetime).as_seconds(),
        nbf: issued,
        iat: issued,
        jti: BASE32_DNSSEC.encode(&grant.id),
        id: grant.user.as_str(),
        user_type,
        // Nobody becomes an administrator by signing up, or in.
        is_admin: false,
        device_id: device_number(&grant.device)?,
    };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    let data = Tokens {
        access_token: signer.sign(&claims)?,
        expires_in: lifetime.as_secs(),
        refresh_token: session.refresh_token.expose().to_owned(),
        token_type: "Bearer",
    };
    Ok(Session { data })
}

/// The answer that carries the session of somebody who signed in.
///
/// # Errors
/// The token could not be signed.
pub fn session_opened(
    signed_in: &SignedIn,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let user_type = signed_in.user.attributes.get(wire::USER_TYPE).map(String::as_str);
    let session = signed_in.session.as_ref();
    let session = session.ok_or_else(|| PortError::new("open a session", "it has no tokens"))?;
    session_issued(session, user_type.unwrap_or_default(), lifetime, signer)
}

/// The answer that carries a session's next tokens.
///
/// # Errors
/// The token could not be signed.
pub fn session_refreshed(
    refreshed: &Refreshed,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let user_type = refreshed.token_claims.get(wire::USER_TYPE).map(String::as_str);
    session_issued(&refreshed.session, user_type.unwrap_or_default(), lifetime, signer)
}

/// Whose genuine access token these claims are, and on which device it was given, if it works now.
pub(super) fn holder(claims: &str, now: Timestamp) -> Option<(UserId, DeviceId)> {
    let claims: Claims<'_> = serde_json::from_str(claims).ok()?;
    let born = claims.nbf <= now.plus(CLOCK_SKEW).as_seconds();
    let works = claims.iss == ISSUER && born && claims.exp > now.as_seconds();
    works.then(|| (UserId::from_stored(claims.sub), DeviceId::number(claims.device_id)))
}

/// The claims of a request token: what its holder may do, once, and since when.
#[derive(Serialize, Deserialize)]
struct RequestClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(rename = "Usage")]
    usage: &'a str,
    /// The new phone number, where one was proved.
    #[serde(rename = "phoneNumber", skip_serializing_if = "Option::is_none", borrow)]
    phone_number: Option<&'a str>,
    iat: i64,
    exp: i64,
    /// When the code was typed, in milliseconds: a proof is good for one change after it.
    #[serde(rename = "provedAt")]
    proved_at: i64,
}

/// A request token: what the holder of a code may do with it (contracts.md A.3).
///
/// # Errors
/// The token could not be signed.
pub fn request_token(
    proved: &RecipientProof,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let is_phone = proved.key.purpose == Purpose::ChangePhone;
    let iat = proved.at.as_seconds();
    let claims = RequestClaims {
        iss: ISSUER,
        sub: proved.user.as_ref().map(UserId::as_str).unwrap_or_default(),
        usage: proved.key.purpose.as_str(),
        phone_number: is_phone.then(|| proved.key.recipient.as_str()),
        iat,
        exp: Timestamp::from_seconds(iat).plus(REQUEST_TOKEN_LIFE).as_seconds(),
        proved_at: proved.at.as_millis(),
    };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    signer.sign(&claims)
}

/// What a genuine request token is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestToken {
    /// To set the password of this user, proved then.
    ResetPassword(UserId, Timestamp),
    /// Something else.
    Other,
}

/// Reads the claims of a genuine request token, if it works now.
pub(super) fn read_request(claims: &str, now: Timestamp) -> Option<RequestToken> {
    let claims: RequestClaims<'_> = serde_json::from_str(claims).ok()?;
    if claims.iss != ISSUER || claims.exp <= now.as_seconds() {
        return None;
    }
    Some(if claims.usage == Purpose::ResetPassword.as_str() && !claims.sub.is_empty() {
        let proved_at = Timestamp::from_millis(claims.proved_at);
        RequestToken::ResetPassword(UserId::from_stored(claims.sub), proved_at)
    } else {
        RequestToken::Other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: &str = r#"{"iss":"auth-service","sub":"u","exp":2000,"nbf":1000,"iat":1000,
        "jti":"j","id":"u","userType":"","isAdmin":false,"deviceId":7}"#;
    const REQUEST: &str = r#"{"iss":"auth-service","sub":"u","Usage":"reset_password","iat":1000,
        "exp":2000,"provedAt":1000500}"#;

    #[test]
    fn tokens_of_one_kind_are_none_of_the_other() {
        let now = Timestamp::from_seconds(1500);
        let holder_is = Some((UserId::from_stored("u"), DeviceId::number(7)));
        assert_eq!((holder(ACCESS, now), holder(REQUEST, now)), (holder_is, None));
        let proved_at = Timestamp::from_millis(1_000_500);
        let reset = RequestToken::ResetPassword(UserId::from_stored("u"), proved_at);
        assert_eq!((read_request(REQUEST, now), read_request(ACCESS, now)), (Some(reset), None));
        let other = REQUEST.replace("reset_password", "change_phone");
        assert_eq!(read_request(&other, now), Some(RequestToken::Other));
    }

    #[test]
    fn tokens_work_from_their_birth_to_their_end() {
        let at = Timestamp::from_seconds;
        assert!(holder(ACCESS, at(1999)).is_some() && holder(ACCESS, at(940)).is_some());
        assert!(holder(ACCESS, at(2000)).is_none() && holder(ACCESS, at(939)).is_none());
        assert!(
            read_request(REQUEST, at(1999)).is_some() && read_request(REQUEST, at(2000)).is_none()
        );
        assert!(holder(&ACCESS.replace("auth-service", "other"), at(1500)).is_none());
    }
}
