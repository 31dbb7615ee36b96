//! `POST /api/v1/auth/register_device` (GoodCity): registers a device for push messages.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::goodcity::{self, Authenticator, Refusal, RegisterDeviceRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{NoUser, RegisterDevice, RegisterDeviceCommand};
use latchkey::wiring::Wiring;

struct Register {
    authenticator: Authenticator,
    register_device: RegisterDevice,
}

async fn register_device(endpoint: &Register, request: &Request) -> Result<Response, Refusal> {
    let user = endpoint.authenticator.user(request).await?;
    let RegisterDeviceRequest { info } = RegisterDeviceRequest::read(request)?;
    let command = RegisterDeviceCommand { realm: goodcity::realm(), user: user.id, info };
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let registered = endpoint.register_device.run(command, &ticket.recorder(&write)).await;
    registered.or_refuse(|NoUser| Refusal::InvalidToken)?;
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
    let endpoint = Register { authenticator, register_device: wiring.register_device()? };
    let once = wiring.once(goodcity::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, register_device).await
}
