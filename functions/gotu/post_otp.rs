//! `POST /otp` (Gotu): sends a one-time code to a phone or an e-mail address.
//!
//! Returns 204 for every well-formed request, so that only the recipient learns whether a code was
//! sent.

use latchkey::contracts::gotu::{self, OtpRequest, Refusal};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, Delivery, RequestCode, RequestCodeCommand};
use latchkey::wiring::Wiring;

async fn post_otp(request_code: &RequestCode, request: &Request) -> Result<Response, Refusal> {
    let OtpRequest { key, audience } = OtpRequest::read(request)?;
    let source = gotu::source(request);
    let locale = http::locale(request, &gotu::LOCALES).to_owned();
    let delivery = Delivery::Allowed;
    let command = RequestCodeCommand { key, audience, delivery, source, locale };
    let write = |_: &CodeRequested| Ok(http::empty(StatusCode::NO_CONTENT));
    let ticket = Ticket::of(request);
    let requested = request_code.run(command, &ticket.recorder(&write)).await;
    Ok(write(&requested.or_refuse(never::<Refusal>)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let request_code = wiring.request_code()?;
    let once = wiring.once(gotu::caller, None)?;
    wiring.serve_once(module_path!(), once, request_code, post_otp).await
}
