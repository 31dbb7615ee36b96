//! Who is behind a bearer token, and what a request token allows.

use super::{Refusal, claims};
use crate::domain::id::{DeviceId, UserId};
use crate::domain::time::Timestamp;
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Sessions};
use lambda_http::Request;
use std::sync::Arc;

/// Finds the session behind a request.
pub struct Authenticator {
    /// Gotu's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// The sessions: a token dies with its own.
    pub sessions: Arc<dyn Sessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// Whose session the request bears, and on which device.
    ///
    /// # Errors
    /// [`Refusal::AccessToken`] without a genuine token that works and whose session is open,
    /// [`Refusal::Internal`].
    pub async fn session(&self, request: &Request) -> Result<(UserId, DeviceId), Refusal> {
        let token = http::bearer(request).ok_or(Refusal::AccessToken)?;
        let CheckedToken::Genuine(claims) = self.access_tokens.check(token).await? else {
            return Err(Refusal::AccessToken);
        };
        let now = self.clock.now();
        let (user, device) = claims::holder(&claims, now).ok_or(Refusal::AccessToken)?;
        if !self.sessions.is_open(&user, &device, now).await? {
            return Err(Refusal::AccessToken);
        }
        Ok((user, device))
    }
}

/// Whose password a request token allows to set, and since when.
///
/// # Errors
/// [`Refusal::RequestToken`] if it is none that works, [`Refusal::Forbidden`] if it is for something
/// else (contracts.md A.3), [`Refusal::Internal`].
pub async fn reset_allowed(
    token: &str,
    access_tokens: &dyn AccessTokens,
    now: Timestamp,
) -> Result<(UserId, Timestamp), Refusal> {
    let CheckedToken::Genuine(claims) = access_tokens.check(token).await? else {
        return Err(Refusal::RequestToken);
    };
    match claims::read_request(&claims, now).ok_or(Refusal::RequestToken)? {
        claims::RequestToken::ResetPassword(user, proved_at) => Ok((user, proved_at)),
        claims::RequestToken::Other => Err(Refusal::Forbidden),
    }
}
