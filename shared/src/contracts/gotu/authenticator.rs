//! Authentication by bearer token, and the check of request tokens.

use super::{Refusal, claims, realm};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::phone::PhoneNumber;
use crate::domain::time::Timestamp;
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Sessions, trace_user};
use crate::usecases::ResetProof;
use lambda_http::Request;
use std::sync::Arc;

/// Finds the session behind a request.
pub struct Authenticator {
    pub access_tokens: Arc<dyn AccessTokens>,
    /// A token is valid only while its session is open.
    pub sessions: Arc<dyn Sessions>,
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// The user and the device of the session whose token the request contains.
    ///
    /// # Errors
    /// [`Refusal::AccessToken`] unless the token is genuine and valid, its session is open and its
    /// user is one of Gotu; [`Refusal::Internal`].
    pub async fn session(&self, request: &Request) -> Result<(UserId, DeviceId), Refusal> {
        let token = http::bearer(request).ok_or(Refusal::AccessToken)?;
        let CheckedToken::Genuine(claims) = self.access_tokens.check(token).await? else {
            return Err(Refusal::AccessToken);
        };
        let now = self.clock.now();
        let (user, device) = claims::holder(&claims, now).ok_or(Refusal::AccessToken)?;
        trace_user(&user);
        let holder = self.sessions.device_holder(&user, &device, now).await?;
        match holder.filter(|user| user.realm == realm()) {
            Some(_) => Ok((user, device)),
            None => Err(Refusal::AccessToken),
        }
    }
}

/// The proof that entitles the holder of a request token to a new password.
///
/// # Errors
/// [`Refusal::RequestToken`] if the token is not genuine or not valid; [`Refusal::Forbidden`] if it
/// allows another change (CONTRACT.md, "`PATCH /users/password`"); [`Refusal::Internal`].
pub async fn reset_allowed(
    token: &str,
    access_tokens: &dyn AccessTokens,
    now: Timestamp,
) -> Result<ResetProof, Refusal> {
    let CheckedToken::Genuine(claims) = access_tokens.check(token).await? else {
        return Err(Refusal::RequestToken);
    };
    match claims::read_request(&claims, now).ok_or(Refusal::RequestToken)? {
        claims::RequestToken::ResetPassword(proof) => Ok(proof),
        claims::RequestToken::ChangePhone { .. } | claims::RequestToken::Other => {
            Err(Refusal::Forbidden)
        }
    }
}

/// The time at which the holder of a request token proved this phone number.
///
/// # Errors
/// [`Refusal::RequestToken`] if the token is not genuine or not valid, or is for another number;
/// [`Refusal::Forbidden`] if it allows another change (CONTRACT.md, "`PATCH /users/phone`");
/// [`Refusal::Internal`].
pub async fn phone_proved(
    phone: &PhoneNumber,
    token: &str,
    access_tokens: &dyn AccessTokens,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let CheckedToken::Genuine(claims) = access_tokens.check(token).await? else {
        return Err(Refusal::RequestToken);
    };
    match claims::read_request(&claims, now).ok_or(Refusal::RequestToken)? {
        claims::RequestToken::ChangePhone { phone: proved, at } if proved == phone.as_str() => {
            Ok(at)
        }
        claims::RequestToken::ChangePhone { .. } => Err(Refusal::RequestToken),
        claims::RequestToken::ResetPassword(_) | claims::RequestToken::Other => {
            Err(Refusal::Forbidden)
        }
    }
}
