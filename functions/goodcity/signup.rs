//! `POST /api/v1/auth/signup` (GoodCity): creates an unverified user and texts a pin.
//!
//! A mobile that already has a user keeps the user and gets a pin; the response is the same.

use latchkey::contracts::goodcity::{self, OtpAuthKey, Refusal, SignupRequest};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, RequestCodeCommand, SignUpUnverified};
use latchkey::wiring::Wiring;

async fn signup(sign_up: &SignUpUnverified, request: &Request) -> Result<Response, Refusal> {
    let SignupRequest { key, delivery, newcomer } = SignupRequest::read(request)?;
    let source = goodcity::source(request);
    let locale = http::locale(request, &goodcity::LOCALES).to_owned();
    let audience = Audience::Registered;
    let command = RequestCodeCommand { key, audience, delivery, source, locale };
    let write =
        |requested: &CodeRequested| Ok(http::json(StatusCode::OK, &OtpAuthKey::from(requested)));
    let ticket = Ticket::of(request);
    let requested = sign_up.run(command, newcomer, &ticket.recorder(&write)).await;
    Ok(write(&requested.or_refuse(never::<Refusal>)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let sign_up = wiring.sign_up_unverified()?;
    let once = wiring.once(goodcity::caller, None)?;
    wiring.serve_once(module_path!(), once, sign_up, signup).await
}
