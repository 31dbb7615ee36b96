//! `POST /auth/signup/resend`, `POST /api/auth/signup/resend` (UrbanFits): sends the code of a
//! sign-up that waits again.
//!
//! The client keeps its `otp_id`. The answer states the address masked, because who holds the
//! `otp_id` need not know it.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{self, CodeSentResponse, Refusal, ResendRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, ResendRefused, ResendSignUp};
use latchkey::wiring::Wiring;

async fn signup_resend(resend: &ResendSignUp, request: &Request) -> Result<Response, Refusal> {
    let locale = http::locale(request, &urbanfits::LOCALES);
    let ResendRequest { command } = ResendRequest::read(request, locale)?;
    let write = |requested: &CodeRequested| {
        Ok(http::json(StatusCode::OK, &CodeSentResponse::again(requested)))
    };
    let ticket = Ticket::of(request);
    let sent = resend.run(command, &ticket.recorder(&write)).await;
    let sent = sent.or_refuse(|refused| match refused {
        ResendRefused::Ended => Refusal::Expired,
    })?;
    Ok(write(&sent)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let resend = wiring.resend_sign_up()?;
    let once = wiring.once(urbanfits::caller, None)?;
    wiring.serve_once(module_path!(), once, resend, signup_resend).await
}
