//! `POST /auth/otp/forgot-password`, `POST /api/auth/otp/forgot-password` (UrbanFits): mails a code
//! that allows a new password.

use latchkey::contracts::urbanfits::{self, CodeSentResponse, ForgotPasswordRequest, Refusal};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::domain::challenge::{Audience, ChallengeKey, Purpose};
use latchkey::domain::identifier::Identifier;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, Delivery, RequestCode, RequestCodeCommand};
use latchkey::wiring::Wiring;

async fn forgot_password(
    request_code: &RequestCode,
    request: &Request,
) -> Result<Response, Refusal> {
    let ForgotPasswordRequest { email, submitted_email } = ForgotPasswordRequest::read(request)?;
    let recipient = Identifier::Email(email);
    let command = RequestCodeCommand {
        key: ChallengeKey::new(urbanfits::realm(), Purpose::ResetPassword, recipient),
        audience: Audience::Registered,
        delivery: Delivery::Allowed,
        source: http::source(request),
        locale: http::locale(request, &urbanfits::LOCALES).to_owned(),
    };
    let write = |requested: &CodeRequested| {
        Ok(http::json(StatusCode::OK, &CodeSentResponse::new(requested, &submitted_email)))
    };
    let ticket = Ticket::of(request);
    let requested = request_code.run(command, &ticket.recorder(&write)).await;
    Ok(write(&requested.or_refuse(never::<Refusal>)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let request_code = wiring.request_code()?;
    let once = wiring.once(urbanfits::caller, None)?;
    wiring.serve_once(module_path!(), once, request_code, forgot_password).await
}
