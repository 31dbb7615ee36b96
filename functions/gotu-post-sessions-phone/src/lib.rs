//! `POST /sessions/phone` (Gotu): sign in with a phone and a code.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, Refusal, SessionByPhoneRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::SignInByCode;
use std::sync::Arc;
use std::time::Duration;

/// What signing in takes.
pub struct PostSessionsPhone {
    /// Checks the code and opens the session.
    pub sign_in: SignInByCode,
    /// Gotu's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long an access token works.
    pub access_life: Duration,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PostSessionsPhone, request: Request) -> Answer {
    gotu::answer(sessions_phone(endpoint, &request).await)
}

async fn sessions_phone(
    endpoint: &PostSessionsPhone,
    request: &Request,
) -> Result<Answer, Refusal> {
    let SessionByPhoneRequest { visitor, code } = SessionByPhoneRequest::read(request)?;
    // Before the code is used up: without a token it would be lost.
    let signer = endpoint.access_tokens.signer().await?;
    let signed_in = endpoint.sign_in.run(&code, visitor).await?;
    let session = gotu::session_opened(&signed_in, endpoint.access_life, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}
