//! Authentication by bearer token.

use super::{Refusal, claims, realm};
use crate::domain::user::User;
use crate::http;
use crate::ports::{AccessTokens, CheckedToken, Clock, Users, trace_user};
use lambda_http::Request;
use std::sync::Arc;

/// Finds the user behind a request.
pub struct Authenticator {
    pub access_tokens: Arc<dyn AccessTokens>,
    pub users: Arc<dyn Users>,
    pub clock: Arc<dyn Clock>,
    /// The issuer of the tokens.
    pub issuer: Option<String>,
}

impl Authenticator {
    /// The user whose token the request contains.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] unless the token is genuine and its user is one of GoodCity;
    /// [`Refusal::ExpiredToken`]; [`Refusal::Internal`].
    pub async fn user(&self, request: &Request) -> Result<User, Refusal> {
        let token = http::bearer(request).ok_or(Refusal::InvalidToken)?;
        let CheckedToken::Genuine(claims) = self.access_tokens.check(token).await? else {
            return Err(Refusal::InvalidToken);
        };
        let now = self.clock.now();
        let (id, issued_at) = claims::holder(&claims, self.issuer.as_deref(), now)?;
        trace_user(&id);
        let user = self.users.find(&id, now).await?.filter(|user| user.realm == realm());
        // An operator may have ended the sessions of the user.
        let user = user.filter(|user| user.keeps_token(issued_at));
        user.ok_or(Refusal::InvalidToken)
    }
}
