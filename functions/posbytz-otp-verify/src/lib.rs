//! `POST /ecommerce/v1/auth/otp/verify` (PosBytz): a customer's code verifies their mobile and signs
//! them in.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::posbytz::{self, ClientsOnly, CustomerSession, OtpVerifyRequest, Refusal};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::VerifyRecipient;
use std::sync::Arc;
use std::time::Duration;

/// What verifying takes.
pub struct OtpVerify {
    /// Lets clients in.
    pub clients_only: ClientsOnly,
    /// Checks the code and marks the mobile verified.
    pub verify: VerifyRecipient,
    /// PosBytz's tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long a token works.
    pub access_life: Duration,
}

/// PosBytz's words in, PosBytz's words out.
pub async fn handle(endpoint: &OtpVerify, request: Request) -> Answer {
    posbytz::answer(otp_verify(endpoint, &request).await)
}

async fn otp_verify(endpoint: &OtpVerify, request: &Request) -> Result<Answer, Refusal> {
    let caller = endpoint.clients_only.caller(request).await?;
    let (key, otp) = OtpVerifyRequest::read(request)?.for_client(caller);
    // Before the code is used up: without a token it would be lost.
    let signer = endpoint.access_tokens.signer().await?;
    let verified = endpoint.verify.run(key, &otp, &http::source_address(request)).await?;
    let (user, life) = (&verified.user.id, endpoint.access_life);
    let token = posbytz::customer_token(user, verified.at, life, &*signer)?;
    Ok(http::json(StatusCode::OK, &CustomerSession::new(token, life)))
}
