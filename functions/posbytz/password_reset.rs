//! `POST /ecommerce/v1/auth/password/reset` (PosBytz): sets a new password with a code.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    ClientAuthenticator, PROFILE, Refusal, ResetPasswordRequest, Success,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::ResetByCode;
use latchkey::wiring::Wiring;

struct PasswordReset {
    clients: ClientAuthenticator,
    reset: ResetByCode,
}

async fn password_reset(endpoint: &PasswordReset, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let command = ResetPasswordRequest::read(request)?.for_client(caller);
    let write = |(): &()| Ok(http::json(StatusCode::OK, &Success::OK));
    let ticket = Ticket::of(request);
    let reset = endpoint.reset.run(command, &ticket.recorder(&write)).await;
    reset.or_refuse(|_| Refusal::Otp)?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = PasswordReset {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        reset: wiring.reset_by_code()?,
    };
    let once = wiring
        .once(|endpoint: &PasswordReset, request| endpoint.clients.owner_of_key(request), None)?;
    wiring.serve_once(module_path!(), once, endpoint, password_reset).await
}
