//! Authentication by session cookie.

use super::cookies::SESSION_TOKEN;
use super::user::{self, UserObject};
use super::{Refusal, realm};
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Sessions, trace_user};
use crate::usecases::SignedToken;
use lambda_http::Request;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// Finds the user behind a request.
pub struct Authenticator {
    pub access_tokens: Arc<dyn AccessTokens>,
    /// Know which sessions were ended before they expired.
    pub sessions: Arc<dyn Sessions>,
    pub clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// The user and the token of the session that the request contains.
    ///
    /// # Errors
    /// [`Refusal::Session`] unless the session is genuine and valid, and its user is one of UrbanFits;
    /// [`Refusal::Internal`].
    pub async fn user(&self, request: &Request) -> Result<(UserObject, SignedToken), Refusal> {
        let token = http::cookie(request, SESSION_TOKEN).ok_or(Refusal::Session)?;
        let token = SecretString::from(token);
        let checked = self.access_tokens.check(token.expose_secret()).await?;
        let CheckedToken::Genuine(claims) = checked else { return Err(Refusal::Session) };
        let now = self.clock.now();
        let session = user::read_session(&claims, now).ok_or(Refusal::Session)?;
        trace_user(&session.user);
        let holder = self.sessions.holder(&session.user, &token, session.issued_at, now).await?;
        let holder = holder.filter(|user| user.realm == realm()).ok_or(Refusal::Session)?;
        let last_checkin = holder.last_active_at.unwrap_or(holder.created_at);
        let shown = UserObject::of_known(&holder, last_checkin, session.user_agent.clone())?;
        let user::Session { issued_at, expires_at, .. } = session;
        Ok((shown, SignedToken { token, user: holder.id, issued_at, expires_at }))
    }
}
