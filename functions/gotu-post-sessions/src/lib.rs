//! `POST /sessions` (Gotu): sign in with e-mail and password.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, Refusal, SessionRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::SignInByPassword;
use std::sync::Arc;
use std::time::Duration;

/// What signing in takes.
pub struct PostSessions {
    /// Compares the password and opens the session.
    pub sign_in: SignInByPassword,
    /// Gotu's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long an access token works.
    pub access_life: Duration,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PostSessions, request: Request) -> Answer {
    gotu::answer(post_sessions(endpoint, &request).await)
}

async fn post_sessions(endpoint: &PostSessions, request: &Request) -> Result<Answer, Refusal> {
    let SessionRequest { visitor, password } = SessionRequest::read(request)?;
    let signer = endpoint.access_tokens.signer().await?;
    let signed_in = endpoint.sign_in.run(password, visitor).await?;
    let session = gotu::session_opened(&signed_in, endpoint.access_life, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}
