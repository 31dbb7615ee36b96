//! `POST /ecommerce/v1/auth/otp/verify` (PosBytz): verifies the mobile of a customer by a code and
//! signs the customer in.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    self, ClientAuthenticator, CustomerSession, OtpVerifyRequest, Refusal,
};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{EnterByCode, Entered};
use latchkey::wiring::{TokenIssuer, Wiring};

struct OtpVerify {
    clients: ClientAuthenticator,
    enter: EnterByCode,
    issuer: TokenIssuer,
}

async fn otp_verify(endpoint: &OtpVerify, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let command = OtpVerifyRequest::read(request)?.for_client(caller);
    // Read before the code is used up: if no token can be signed, the code stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let lifetime = endpoint.issuer.lifetime;
    let write = |entered: &Entered| {
        let token = posbytz::customer_token(&entered.user.id, entered.at, lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &CustomerSession::new(token, lifetime)))
    };
    let ticket = Ticket::of(request);
    let entered = endpoint.enter.run(command, &ticket.recorder(&write)).await;
    Ok(write(&entered.or_refuse(|_| Refusal::Otp)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = OtpVerify {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        enter: wiring.enter_by_code(Audience::Registered)?,
        issuer: wiring.token_issuer()?,
    };
    let once = wiring.once(
        |endpoint: &OtpVerify, request| endpoint.clients.owner_of_key(request),
        Some(&endpoint.issuer.tokens),
    )?;
    wiring.serve_once(module_path!(), once, endpoint, otp_verify).await
}
