//! `POST /api/v1/auth/verify` (GoodCity): type the pin, and get a token and one's user.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::goodcity::{self, Refusal, UserObject, VerifiedUser, VerifyRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::{UserVerified, VerifyCode};
use std::sync::Arc;
use std::time::Duration;

/// What verifying takes.
pub struct Verify {
    /// Checks the pin and marks the mobile verified.
    pub verify_code: VerifyCode,
    /// GoodCity's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long a token works.
    pub access_life: Duration,
    /// Who issues the tokens.
    pub issuer: String,
}

/// GoodCity's words in, GoodCity's words out.
pub async fn handle(endpoint: &Verify, request: Request) -> Answer {
    goodcity::answer(verify(endpoint, &request).await)
}

async fn verify(endpoint: &Verify, request: &Request) -> Result<Answer, Refusal> {
    let VerifyRequest { handle, pin } = VerifyRequest::read(request)?;
    // Before the pin is used up: without a token it would be lost.
    let signer = endpoint.access_tokens.signer().await?;
    let source = http::source_address(request);
    let UserVerified { user, at } = endpoint.verify_code.run(handle, &pin, &source).await?;
    let (life, issuer) = (endpoint.access_life, &endpoint.issuer);
    let jwt_token = goodcity::token_for(&user.id, at, life, issuer, &*signer)?;
    let verified = VerifiedUser { jwt_token, user: UserObject::of(&user)? };
    Ok(http::json(StatusCode::OK, &verified))
}
