//! `POST /otp/verification` (Gotu): exchanges a code for a token that allows one change.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, RequestTokenResponse, VerificationRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::AccessTokens;
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{ProveRecipient, RecipientProof};
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
    let write = |proved: &RecipientProof| {
        let token = gotu::request_token(proved, &*signer)?;
        Ok(http::json(StatusCode::OK, &RequestTokenResponse::new(token)))
    };
    let (source, ticket) = (gotu::source(request), Ticket::of(request));
    let proved = endpoint.prove.run(key, &code, &source, &ticket.recorder(&write)).await;
    Ok(write(&proved.or_refuse(|_| Refusal::Verification)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint = PostOtpVerification {
        prove: wiring.prove_recipient()?,
        access_tokens: wiring.access_tokens()?,
    };
    let once = wiring.once(gotu::caller, Some(&endpoint.access_tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, post_otp_verification).await
}
