//! `POST /api/v1/auth/send_pin` (GoodCity): texts a pin to a registered mobile.
//!
//! Registered and unregistered mobiles get the same response, at the same cost.

use latchkey::contracts::goodcity::{self, OtpAuthKey, Refusal, SendPinRequest};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, RequestCode, RequestCodeCommand};
use latchkey::wiring::Wiring;

async fn send_pin(request_code: &RequestCode, request: &Request) -> Result<Response, Refusal> {
    let SendPinRequest { key, delivery } = SendPinRequest::read(request)?;
    let source = goodcity::source(request);
    let locale = http::locale(request, &goodcity::LOCALES).to_owned();
    let audience = Audience::Registered;
    let command = RequestCodeCommand { key, audience, delivery, source, locale };
    let write =
        |requested: &CodeRequested| Ok(http::json(StatusCode::OK, &OtpAuthKey::from(requested)));
    let ticket = Ticket::of(request);
    let requested = request_code.run(command, &ticket.recorder(&write)).await;
    Ok(write(&requested.or_refuse(never::<Refusal>)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let request_code = wiring.request_code()?;
    let once = wiring.once(goodcity::caller, None)?;
    wiring.serve_once(module_path!(), once, request_code, send_pin).await
}
