//! Who is behind a session cookie.

use super::Refusal;
use super::cookies::SESSION_TOKEN;
use super::user::{self, UserObject};
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Sessions};
use crate::usecases::SignedToken;
use lambda_http::Request;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// Finds the user behind a request.
pub struct Authenticator {
    /// UrbanFits' sessions.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// Which of them were ended before their time.
    pub sessions: Arc<dyn Sessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// The user whose session the request carries, and the session.
    ///
    /// # Errors
    /// [`Refusal::Session`] without a genuine session that works, [`Refusal::Internal`].
    pub async fn user(&self, request: &Request) -> Result<(UserObject, SignedToken), Refusal> {
        let token = http::cookie(request, SESSION_TOKEN).ok_or(Refusal::Session)?;
        let token = SecretString::from(token);
        let checked = self.access_tokens.check(token.expose_secret()).await?;
        let CheckedToken::Genuine(claims) = checked else { return Err(Refusal::Session) };
        let now = self.clock.now();
        let session = user::read_session(&claims, now).ok_or(Refusal::Session)?;
        let holder = self.sessions.holder(&session.user, &token, session.issued_at, now).await?;
        let holder = holder.ok_or(Refusal::Session)?;
        let last_checkin = holder.last_active_at.unwrap_or(holder.created_at);
        let shown = UserObject::of_known(&holder, last_checkin, session.user_agent)?;
        let expires_at = session.expires_at;
        Ok((shown, SignedToken { token, user: holder.id, expires_at }))
    }
}
