//! `POST /auth/signup`, `POST /api/auth/signup` (UrbanFits): keeps a sign-up and mails its code.
//!
//! Creates no user and reserves no identifier until the code is entered.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{self, PendingResponse, Refusal, SignupRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{StartSignUp, StartSignUpRefused};
use latchkey::wiring::Wiring;

async fn signup(start: &StartSignUp, request: &Request) -> Result<Response, Refusal> {
    let locale = http::locale(request, &urbanfits::LOCALES);
    let SignupRequest { command, submitted_email } = SignupRequest::read(request, locale)?;
    let handle = start.run(command).await.or_refuse(|refused| match refused {
        StartSignUpRefused::Taken => Refusal::Taken,
        StartSignUpRefused::Waiting => Refusal::Waiting,
    })?;
    Ok(http::json(StatusCode::OK, &PendingResponse::new(&handle, &submitted_email)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let start = wiring.start_sign_up()?;
    wiring.serve(module_path!(), start, signup).await
}
