//! `PATCH /users/password` (Gotu): set a new password with a token that a code gave.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, PasswordRequest, Refusal};
use latchkey::http::{self, Answer};
use latchkey::ports::{AccessTokens, Clock};
use latchkey::usecases::ResetPassword;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

/// What setting a password takes.
pub struct PatchUsersPassword {
    /// Sets it.
    pub reset: ResetPassword,
    /// Gotu's tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PatchUsersPassword, request: Request) -> Answer {
    gotu::answer(users_password(endpoint, &request).await)
}

async fn users_password(
    endpoint: &PatchUsersPassword,
    request: &Request,
) -> Result<Answer, Refusal> {
    let PasswordRequest { password, request_token } = PasswordRequest::read(request)?;
    let (token, now) = (request_token.expose_secret(), endpoint.clock.now());
    let (user, proved_at) = gotu::reset_allowed(token, &*endpoint.access_tokens, now).await?;
    endpoint.reset.run(user, proved_at, password).await?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}
