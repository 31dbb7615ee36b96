//! `POST /ecommerce/v1/auth/otp/verify` (PosBytz): verifies the mobile of a customer by a code and
//! signs the customer in.

use latchkey::contracts::posbytz::{
    self, ClientAuthenticator, CustomerSession, OtpVerifyRequest, Refusal,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::VerifyRecipient;
use latchkey::wiring::{TokenIssuer, Wiring};

struct OtpVerify {
    clients: ClientAuthenticator,
    verify: VerifyRecipient,
    issuer: TokenIssuer,
}

async fn otp_verify(endpoint: &OtpVerify, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let (key, otp) = OtpVerifyRequest::read(request)?.for_client(caller);
    // Read before the code is used up: if no token can be signed, the code stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let verified = endpoint.verify.run(key, &otp, &http::source_address(request)).await?;
    let (user, lifetime) = (&verified.user.id, endpoint.issuer.lifetime);
    let token = posbytz::customer_token(user, verified.at, lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &CustomerSession::new(token, lifetime)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = OtpVerify {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        verify: wiring.verify_recipient()?,
        issuer: wiring.token_issuer()?,
    };
    wiring.serve(module_path!(), endpoint, otp_verify).await
}
