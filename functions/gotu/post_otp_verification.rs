//! `POST /otp/verification` (Gotu): exchanges a code for a token that allows one change.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, RequestTokenResponse, VerificationRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::AccessTokens;
use latchkey::runtime::Error;
use latchkey::usecases::ProveRecipient;
use latchkey::wiring::Wiring;
use std::sync::Arc;

struct PostOtpVerification {
    prove: ProveRecipient,
    access_tokens: Arc<dyn AccessTokens>,
}

async fn post_otp_verification(
    endpoint: &PostOtpVerification,
    request: &Request,
) -> Result<Response, Refusal> {
    let VerificationRequest { key, code } = VerificationRequest::read(request)?;
    // Read before the code is used up: if no token can be signed, the code stays valid.
    let signer = endpoint.access_tokens.signer().await?;
    let source = gotu::source(request);
    let proved = endpoint.prove.run(key, &code, &source).await;
    let proved = proved.or_refuse(|_| Refusal::Verification)?;
    let token = gotu::request_token(&proved, &*signer)?;
    Ok(http::json(StatusCode::OK, &RequestTokenResponse::new(token)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint = PostOtpVerification {
        prove: wiring.prove_recipient()?,
        access_tokens: wiring.access_tokens()?,
    };
    wiring.serve(module_path!(), endpoint, post_otp_verification).await
}
