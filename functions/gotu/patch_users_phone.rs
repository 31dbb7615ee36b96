//! `PATCH /users/phone` (Gotu): changes the phone number of the signed-in user with a token that
//! allows one change.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Authenticator, PhoneRequest, Refusal};
use latchkey::domain::identifier::Identifier;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{ChangePhone, ChangePhoneCommand, ChangePhoneRefused};
use latchkey::wiring::Wiring;
use secrecy::ExposeSecret as _;

struct PatchUsersPhone {
    authenticator: Authenticator,
    change: ChangePhone,
}

async fn patch_users_phone(
    endpoint: &PatchUsersPhone,
    request: &Request,
) -> Result<Response, Refusal> {
    let PhoneRequest { phone, request_token } = PhoneRequest::read(request)?;
    let Authenticator { access_tokens, clock, .. } = &endpoint.authenticator;
    let (user, device) = endpoint.authenticator.session(request).await?;
    let token = request_token.expose_secret();
    let proved_at = gotu::phone_proved(&phone, token, &**access_tokens, clock.now()).await?;
    let (phone, source) = (Identifier::Phone(phone), gotu::source(request));
    let command = ChangePhoneCommand { user, device, phone, proved_at, source };
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let changed = endpoint.change.run(command, &ticket.recorder(&write)).await;
    changed.or_refuse(|refused| match refused {
        ChangePhoneRefused::ProofUsedUp => Refusal::RequestToken,
        ChangePhoneRefused::Taken => Refusal::PhoneTaken,
    })?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let authenticator = Authenticator {
        access_tokens: wiring.access_tokens()?,
        sessions: wiring.sessions()?,
        clock: wiring.clock(),
    };
    let endpoint = PatchUsersPhone { authenticator, change: wiring.change_phone()? };
    let once = wiring.once(gotu::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, patch_users_phone).await
}
