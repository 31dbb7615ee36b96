//! The start of a session: its token, and the cookies that contain it.

use super::UserObject;
use super::cookies::session_cookies;
use super::user::session_token;
use crate::domain::session::SessionKind;
use crate::domain::time::Timestamp;
use crate::http::{CookiePolicy, Response};
use crate::ports::{AccessTokens, PortError, SignAccessToken, SignText, TextSignatures};
use std::sync::Arc;

/// Opens sessions.
pub struct SessionIssuer {
    pub tokens: Arc<dyn AccessTokens>,
    /// Signs the names of browsers, which are claims of a token.
    pub user_agents: Arc<dyn TextSignatures>,
    pub cookies: CookiePolicy,
}

/// The keys of one session, read before anything is used up for it.
pub struct SessionKeys<'a> {
    token: Box<dyn SignAccessToken>,
    pub user_agent: Box<dyn SignText>,
    cookies: &'a CookiePolicy,
}

impl SessionIssuer {
    /// Reads the current keys.
    ///
    /// # Errors
    /// A key ring cannot be read.
    pub async fn keys(&self) -> Result<SessionKeys<'_>, PortError> {
        let token = self.tokens.signer().await?;
        let user_agent = self.user_agents.signer().await?;
        Ok(SessionKeys { token, user_agent, cookies: &self.cookies })
    }
}

impl SessionKeys<'_> {
    /// Adds the cookies of a session that `user` opens at `at` to `response`.
    ///
    /// # Errors
    /// The token cannot be signed, or the domain of the cookies is not a valid header value.
    pub fn open(
        &self,
        response: Response,
        user: &UserObject,
        at: Timestamp,
        kind: SessionKind,
    ) -> Result<Response, PortError> {
        let lifetime = self.cookies.lifetimes.of(kind);
        let token = session_token(user, at, lifetime, &*self.token)?;
        session_cookies(response, &token, lifetime, self.cookies)
    }
}
