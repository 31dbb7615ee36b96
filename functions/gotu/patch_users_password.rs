//! `PATCH /users/password` (Gotu): sets a new password with a token that allows one change.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, PasswordRequest, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::{AccessTokens, Clock};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{ResetPassword, ResetRefused};
use latchkey::wiring::Wiring;
use secrecy::ExposeSecret as _;
use std::sync::Arc;

struct PatchUsersPassword {
    reset: ResetPassword,
    access_tokens: Arc<dyn AccessTokens>,
    clock: Arc<dyn Clock>,
}

async fn patch_users_password(
    endpoint: &PatchUsersPassword,
    request: &Request,
) -> Result<Response, Refusal> {
    let PasswordRequest { password, request_token } = PasswordRequest::read(request)?;
    let (token, now) = (request_token.expose_secret(), endpoint.clock.now());
    let proof = gotu::reset_allowed(token, &*endpoint.access_tokens, now).await?;
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let (source, recorder) = (gotu::source(request), ticket.recorder(&write));
    let reset = endpoint.reset.run(proof, password, &source, &recorder).await;
    reset.or_refuse(|refused| match refused {
        ResetRefused::ProofUsedUp => Refusal::RequestToken,
        ResetRefused::SamePassword => Refusal::SamePassword,
        ResetRefused::Banned => Refusal::Forbidden,
    })?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint = PatchUsersPassword {
        reset: wiring.reset_password()?,
        access_tokens: wiring.access_tokens()?,
        clock: wiring.clock(),
    };
    let once = wiring.once(gotu::caller, None)?;
    wiring.serve_once(module_path!(), once, endpoint, patch_users_password).await
}
