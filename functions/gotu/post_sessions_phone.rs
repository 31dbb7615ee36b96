//! `POST /sessions/phone` (Gotu): signs a user in with a phone and a code.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, SessionByPhoneRequest};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{EnterByCode, EnterRefused, Entered};
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostSessionsPhone {
    enter: EnterByCode,
    issuer: TokenIssuer,
}

async fn post_sessions_phone(
    endpoint: &PostSessionsPhone,
    request: &Request,
) -> Result<Response, Refusal> {
    let SessionByPhoneRequest { command } = SessionByPhoneRequest::read(request)?;
    // Read before the code is used up: if no token can be signed, the code stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let write = |entered: &Entered| {
        let session = gotu::session_opened(entered, endpoint.issuer.lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &session))
    };
    let ticket = Ticket::of(request);
    let signed_in = endpoint.enter.run(command, &ticket.recorder(&write)).await;
    let signed_in = signed_in.or_refuse(|refused| match refused {
        // The code was right.
        EnterRefused::Banned => Refusal::Forbidden,
        // Whatever else is wrong looks the same: the response does not tell which phones have an account.
        EnterRefused::NoCode | EnterRefused::WrongCode | EnterRefused::Taken => Refusal::Code,
    })?;
    Ok(write(&signed_in)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let enter = wiring.enter_by_code(Audience::Registered)?;
    let endpoint = PostSessionsPhone { enter, issuer: wiring.token_issuer()? };
    let once = wiring.once(gotu::caller, Some(&endpoint.issuer.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, post_sessions_phone).await
}
