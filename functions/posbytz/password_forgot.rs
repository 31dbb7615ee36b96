//! `POST /ecommerce/v1/auth/password/forgot` (PosBytz): sends a code that allows a new password.

use latchkey::contracts::posbytz::{
    ClientAuthenticator, ForgotPasswordRequest, PROFILE, Refusal, Success,
};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRequested, RequestCode};
use latchkey::wiring::Wiring;

struct PasswordForgot {
    clients: ClientAuthenticator,
    request_code: RequestCode,
}

async fn password_forgot(
    endpoint: &PasswordForgot,
    request: &Request,
) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let command = ForgotPasswordRequest::read(request)?.for_client(caller);
    let write = |_: &CodeRequested| Ok(http::json(StatusCode::OK, &Success::OK));
    let ticket = Ticket::of(request);
    let requested = endpoint.request_code.run(command, &ticket.recorder(&write)).await;
    Ok(write(&requested.or_refuse(never::<Refusal>)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = PasswordForgot {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        request_code: wiring.request_code()?,
    };
    let once = wiring
        .once(|endpoint: &PasswordForgot, request| endpoint.clients.owner_of_key(request), None)?;
    wiring.serve_once(module_path!(), once, endpoint, password_forgot).await
}
