//! `POST /otp/verification` (Gotu): exchange a code for a token that allows one change.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, Refusal, RequestTokenAnswer, VerificationRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::ProveRecipient;
use std::sync::Arc;

/// What verifying takes.
pub struct PostOtpVerification {
    /// Checks the code and uses it up.
    pub prove: ProveRecipient,
    /// Gotu's tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PostOtpVerification, request: Request) -> Answer {
    gotu::answer(verification(endpoint, &request).await)
}

async fn verification(
    endpoint: &PostOtpVerification,
    request: &Request,
) -> Result<Answer, Refusal> {
    let VerificationRequest { key, code } = VerificationRequest::read(request)?;
    // Before the code is used up: without a token it would be lost.
    let signer = endpoint.access_tokens.signer().await?;
    let source = http::source_address(request);
    let proved = endpoint.prove.run(key, &code, &source).await?;
    let token = gotu::request_token(&proved, &*signer)?;
    Ok(http::json(StatusCode::OK, &RequestTokenAnswer::new(token)))
}
