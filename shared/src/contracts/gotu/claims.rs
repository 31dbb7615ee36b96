//! Gotu's access tokens.

use super::wire::{Session, Tokens};
use crate::domain::id::DeviceId;
use crate::domain::time::Timestamp;
use crate::ports::{PortError, SignAccessToken};
use crate::usecases::SignedUp;
use data_encoding::BASE32_DNSSEC;
use serde::Serialize;
use std::time::Duration;

/// Who issues the tokens.
const ISSUER: &str = "auth-service";

/// The ten claims, in the order of the documented token (contracts.md section 1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    iss: &'static str,
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

/// The answer that carries a new session, with an access token that works for `life`.
///
/// # Errors
/// The token could not be signed.
pub fn session_issued(
    signed_up: &SignedUp,
    user_type: &str,
    life: Duration,
    signer: &dyn SignAccessToken,
) -> Result<Session, PortError> {
    let grant = &signed_up.grant;
    let issued = grant.issued_at.as_seconds();
    let claims = Claims {
        iss: ISSUER,
        sub: grant.user.as_str(),
        exp: Timestamp::from_seconds(issued).plus(life).as_seconds(),
        nbf: issued,
        iat: issued,
        jti: BASE32_DNSSEC.encode(&grant.id),
        id: grant.user.as_str(),
        user_type,
        // Nobody becomes an administrator by signing up.
        is_admin: false,
        device_id: device_number(&grant.device)?,
    };
    let claims = serde_json::to_string(&claims)
        .map_err(|error| PortError::new("write a token's claims", error))?;
    let data = Tokens {
        access_token: signer.sign(&claims)?,
        expires_in: life.as_secs(),
        refresh_token: signed_up.refresh_token.expose().to_owned(),
        token_type: "Bearer",
    };
    Ok(Session { data })
}
