//! `POST /ecommerce/v1/auth/otp/resend`, `POST /ecommerce/v1/auth/email/resend` (PosBytz): sends
//! the code or the link again to a customer of whom nothing is verified.

use latchkey::contracts::posbytz::{ClientAuthenticator, PROFILE, Refusal, ResendRequest, Success};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::ResendToUnverified;
use latchkey::wiring::Wiring;

struct Resend {
    clients: ClientAuthenticator,
    resend: ResendToUnverified,
}

async fn resend(endpoint: &Resend, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let command = ResendRequest::read(request)?.for_client(caller);
    let write = |(): &()| Ok(http::json(StatusCode::OK, &Success::OK));
    let ticket = Ticket::of(request);
    let sent = endpoint.resend.run(command, &ticket.recorder(&write)).await;
    sent.or_refuse(never::<Refusal>)?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = Resend {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        resend: wiring.resend_to_unverified()?,
    };
    let once =
        wiring.once(|endpoint: &Resend, request| endpoint.clients.owner_of_key(request), None)?;
    wiring.serve_once(module_path!(), once, endpoint, resend).await
}
