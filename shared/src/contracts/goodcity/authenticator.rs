//! Who is behind a bearer token.

use super::{Refusal, claims};
use crate::domain::user::User;
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Users};
use lambda_http::Request;
use std::sync::Arc;

/// Finds the user behind a request.
pub struct Authenticator {
    /// GoodCity's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// The users.
    pub users: Arc<dyn Users>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who issues the tokens.
    pub issuer: String,
}

impl Authenticator {
    /// The user whose token the request bears.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] without a genuine token of a user who is still there,
    /// [`Refusal::ExpiredToken`] when it has ended, [`Refusal::Internal`].
    pub async fn user(&self, request: &Request) -> Result<User, Refusal> {
        let token = http::bearer(request).ok_or(Refusal::InvalidToken)?;
        let CheckedToken::Genuine(claims) = self.access_tokens.check(token).await? else {
            return Err(Refusal::InvalidToken);
        };
        let now = self.clock.now();
        let id = claims::holder(&claims, &self.issuer, now)?;
        self.users.find(&id, now).await?.ok_or(Refusal::InvalidToken)
    }
}
