//! `POST /sessions/refresh` (Gotu): exchange a refresh token for its successor.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, RefreshRequest, Refusal};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::Refresh;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;

/// What refreshing takes.
pub struct PostSessionsRefresh {
    /// Exchanges the token.
    pub refresh: Refresh,
    /// Gotu's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long an access token works.
    pub access_life: Duration,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PostSessionsRefresh, request: Request) -> Answer {
    gotu::answer(refresh(endpoint, &request).await)
}

async fn refresh(endpoint: &PostSessionsRefresh, request: &Request) -> Result<Answer, Refusal> {
    let RefreshRequest { refresh_token } = RefreshRequest::read(request)?;
    let signer = endpoint.access_tokens.signer().await?;
    let refreshed = endpoint.refresh.run(refresh_token.expose_secret()).await?;
    let session = gotu::session_refreshed(&refreshed, endpoint.access_life, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}
