//! `POST /auth/signup`, `POST /api/auth/signup` (UrbanFits): keeps a sign-up and mails its code.
//!
//! Creates no user and reserves no identifier until the code is entered.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{self, PendingResponse, Refusal, SignupRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, StartSignUp, StartSignUpRefused};
use latchkey::wiring::Wiring;

async fn signup(start: &StartSignUp, request: &Request) -> Result<Response, Refusal> {
    let locale = http::locale(request, &urbanfits::LOCALES);
    let SignupRequest { command, submitted_email } = SignupRequest::read(request, locale)?;
    let write = |requested: &CodeRequested| {
        Ok(http::json(StatusCode::OK, &PendingResponse::new(requested, &submitted_email)?))
    };
    let ticket = Ticket::of(request);
    let started = start.run(command, &ticket.recorder(&write)).await;
    let started = started.or_refuse(|refused| match refused {
        StartSignUpRefused::Taken => Refusal::Taken,
        StartSignUpRefused::Waiting => Refusal::Waiting,
    })?;
    Ok(write(&started)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let start = wiring.start_sign_up()?;
    let once = wiring.once(urbanfits::caller, None)?;
    wiring.serve_once(module_path!(), once, start, signup).await
}
