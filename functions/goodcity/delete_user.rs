//! `DELETE /api/v1/auth/current_user_profile` (GoodCity): deletes the account of the signed-in user
//! after a pin.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::goodcity::{self, Authenticator, HeldPin, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{DeleteByCode, Guess, NotProved};
use latchkey::wiring::Wiring;
use std::time::Duration;

struct DeleteUser {
    authenticator: Authenticator,
    delete: DeleteByCode,
}

async fn delete_user(endpoint: &DeleteUser, request: &Request) -> Result<Response, Refusal> {
    let user = endpoint.authenticator.user(request).await?;
    let HeldPin { presented, pin } = HeldPin::read(request)?;
    let guess = Guess { code: &pin, source: &goodcity::source(request) };
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let deleted = endpoint.delete.run(&user.id, presented, &guess, &ticket.recorder(&write)).await;
    deleted.or_refuse(|NotProved| Refusal::Pin)?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let issuer = wiring.token_issuer()?;
    let authenticator = Authenticator {
        access_tokens: issuer.tokens,
        users: wiring.users()?,
        clock: wiring.clock(),
        issuer: issuer.name,
    };
    let endpoint = DeleteUser { authenticator, delete: wiring.delete_by_code(Duration::ZERO)? };
    let once = wiring.once(goodcity::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, delete_user).await
}
