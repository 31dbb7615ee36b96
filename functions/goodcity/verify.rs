//! `POST /api/v1/auth/verify` (GoodCity): accepts a pin and returns a token and the user.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::goodcity::{self, Refusal, UserObject, VerifiedUser, VerifyRequest};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{EnterByCode, Entered};
use latchkey::wiring::{TokenIssuer, Wiring};

struct Verify {
    enter: EnterByCode,
    issuer: TokenIssuer,
}

async fn verify(endpoint: &Verify, request: &Request) -> Result<Response, Refusal> {
    let VerifyRequest { command } = VerifyRequest::read(request)?;
    // Read before the pin is used up: if no token can be signed, the pin stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let TokenIssuer { lifetime, name, .. } = &endpoint.issuer;
    let write = |entered: &Entered| {
        let Entered { user, at, .. } = entered;
        let jwt_token = goodcity::token_for(&user.id, *at, *lifetime, name.as_deref(), &*signer)?;
        let verified = VerifiedUser { jwt_token, user: UserObject::of(user)? };
        Ok(http::json(StatusCode::OK, &verified))
    };
    let ticket = Ticket::of(request);
    let entered = endpoint.enter.run(command, &ticket.recorder(&write)).await;
    Ok(write(&entered.or_refuse(|_| Refusal::Pin)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let enter = wiring.enter_by_code(Audience::Registered)?;
    let endpoint = Verify { enter, issuer: wiring.token_issuer()? };
    let once = wiring.once(goodcity::caller, Some(&endpoint.issuer.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, verify).await
}
