//! Gotu's access tokens and request tokens.

use super::attributes;
use super::wire::{Session, Tokens};
use crate::contracts::tokens;
use crate::domain::challenge::Purpose;
use crate::domain::id::{DeviceId, UserId};
use crate::domain::identifier::IdentifierKind;
use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use crate::usecases::{Entered, OpenSession, RecipientProof, ResetProof};
use data_encoding::BASE32_DNSSEC;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The issuer of the tokens.
const ISSUER: &str = "auth-service";

/// How long a request token is valid.
const REQUEST_TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// The claims of an access token, in the documented order (CONTRACT.md, "Tokens").
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    exp: i64,
    nbf: i64,
    iat: i64,
    /// 20 characters, like an xid, but all of them random.
    jti: String,
    id: &'a str,
    /// Empty if the user signed up without a type, as in the original.
    user_type: &'a str,
    is_admin: bool,
    device_id: u32,
}

/// The id of a device as the integer that Gotu's clients expect.
pub(super) fn device_number(device: &DeviceId) -> Result<u32, PortError> {
    let number = device.as_str().parse();
    number.map_err(|error| PortError::new("read a device's id as a number", format!("{error}")))
}

/// The response with the session of a user who signed up or in.
///
/// # Errors
/// The token could not be signed.
pub fn session_opened(
    entered: &Entered,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let session = entered.session.as_ref();
    let session = session.ok_or_else(|| PortError::new("open a session", "it has no tokens"))?;
    session_issued(session, lifetime, signer)
}

/// The response with the tokens of a session, whose access token is valid for `lifetime`.
///
/// # Errors
/// The token could not be signed.
pub fn session_issued(
    session: &OpenSession,
    lifetime: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let (grant, facts) = (&session.grant, &session.grant.session);
    let (issued, exp) = tokens::times(grant.issued_at, lifetime);
    let claims = Claims {
        iss: ISSUER,
        sub: facts.user.as_str(),
        exp,
        nbf: issued,
        iat: issued,
        jti: BASE32_DNSSEC.encode(&grant.id),
        id: facts.user.as_str(),
        user_type: facts.token_claims.text(attributes::USER_TYPE).unwrap_or_default(),
        // Neither a sign-up nor a sign-in makes a user an administrator.
        is_admin: false,
        device_id: device_number(&facts.device)?,
    };
    let data = Tokens {
        access_token: tokens::sign(&claims, signer)?,
        expires_in: lifetime.as_secs(),
        refresh_token: session.refresh_token.expose().to_owned(),
        token_type: "Bearer",
    };
    Ok(Session { data })
}

/// The user and the device of genuine claims, if the access token is valid now.
pub(super) fn holder(claims: &str, now: Timestamp) -> Option<(UserId, DeviceId)> {
    let claims: Claims<'_> = serde_json::from_str(claims).ok()?;
    let valid =
        claims.iss == ISSUER && tokens::has_begun(claims.nbf, now) && claims.exp > now.as_seconds();
    valid.then(|| (UserId::from_stored(claims.sub), DeviceId::number(claims.device_id)))
}

/// The claims of a request token, which allows its holder one change.
#[derive(Serialize, Deserialize)]
struct RequestClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    #[serde(rename = "Usage")]
    usage: &'a str,
    /// The new phone number, if the token allows to change it.
    #[serde(rename = "phoneNumber", skip_serializing_if = "Option::is_none", borrow)]
    phone_number: Option<&'a str>,
    iat: i64,
    exp: i64,
    /// The time at which the code was checked, in milliseconds. The proof allows one change.
    #[serde(rename = "provedAt")]
    proved_at: i64,
    /// What received the code: `phone` or `email`. It becomes verified with the change.
    #[serde(rename = "provedBy", skip_serializing_if = "Option::is_none", borrow)]
    proved_by: Option<&'a str>,
}

/// A request token for a recipient that was proved with a code (CONTRACT.md, "Tokens").
///
/// # Errors
/// The token could not be signed.
pub fn request_token(
    proved: &RecipientProof,
    signer: &dyn SignAccessToken,
) -> Result<String, PortError> {
    let is_phone = proved.key.purpose == Purpose::ChangePhone;
    let (iat, exp) = tokens::times(proved.at, REQUEST_TOKEN_LIFETIME);
    let claims = RequestClaims {
        iss: ISSUER,
        sub: proved.user.as_ref().map(UserId::as_str).unwrap_or_default(),
        usage: proved.key.purpose.as_str(),
        phone_number: is_phone.then(|| proved.key.recipient.as_str()),
        iat,
        exp,
        proved_at: proved.at.as_millis(),
        proved_by: Some(proved.key.recipient.kind().as_str()),
    };
    tokens::sign(&claims, signer)
}

/// The change that a genuine request token allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RequestToken {
    /// To set the password of a user who proved a recipient.
    ResetPassword(ResetProof),
    /// To give a user this phone number, which was proved at this time.
    ChangePhone { phone: String, at: Timestamp },
    /// Another change.
    Other,
}

/// The change that genuine claims allow, if the request token is valid now.
pub(super) fn read_request(claims: &str, now: Timestamp) -> Option<RequestToken> {
    let claims: RequestClaims<'_> = serde_json::from_str(claims).ok()?;
    if claims.iss != ISSUER || claims.exp <= now.as_seconds() {
        return None;
    }
    if let (Some(phone), true) =
        (claims.phone_number, claims.usage == Purpose::ChangePhone.as_str())
    {
        let at = Timestamp::from_millis(claims.proved_at);
        return Some(RequestToken::ChangePhone { phone: phone.to_owned(), at });
    }
    Some(if claims.usage == Purpose::ResetPassword.as_str() && !claims.sub.is_empty() {
        RequestToken::ResetPassword(ResetProof {
            user: UserId::from_stored(claims.sub),
            at: Timestamp::from_millis(claims.proved_at),
            kind: claims.proved_by.and_then(IdentifierKind::from_name),
        })
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
        "exp":2000,"provedAt":1000500,"provedBy":"email"}"#;

    #[test]
    fn an_access_token_is_not_a_request_token_and_vice_versa() {
        let now = Timestamp::from_seconds(1500);
        let holder_is = Some((UserId::from_stored("u"), DeviceId::number(7)));
        assert_eq!((holder(ACCESS, now), holder(REQUEST, now)), (holder_is, None));
        let reset = RequestToken::ResetPassword(ResetProof {
            user: UserId::from_stored("u"),
            at: Timestamp::from_millis(1_000_500),
            kind: Some(IdentifierKind::Email),
        });
        assert_eq!((read_request(REQUEST, now), read_request(ACCESS, now)), (Some(reset), None));
        let other = REQUEST.replace("reset_password", "change_phone");
        assert_eq!(read_request(&other, now), Some(RequestToken::Other));
    }

    #[test]
    fn tokens_are_valid_from_their_time_of_issue_to_their_end() {
        let at = Timestamp::from_seconds;
        assert!(holder(ACCESS, at(1999)).is_some() && holder(ACCESS, at(940)).is_some());
        assert!(holder(ACCESS, at(2000)).is_none() && holder(ACCESS, at(939)).is_none());
        assert!(
            read_request(REQUEST, at(1999)).is_some() && read_request(REQUEST, at(2000)).is_none()
        );
        assert!(holder(&ACCESS.replace("auth-service", "other"), at(1500)).is_none());
    }
}
