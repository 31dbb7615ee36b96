//! `PUT /auth/otp/change-password`, `PUT /api/auth/otp/change-password` (UrbanFits): sets a new
//! password with a code.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{self, ChangePasswordRequest, Refusal};
use latchkey::http::{Request, Response};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{CodeRefused, ResetByCode};
use latchkey::wiring::Wiring;

async fn change_password(reset: &ResetByCode, request: &Request) -> Result<Response, Refusal> {
    let ChangePasswordRequest { command } = ChangePasswordRequest::read(request)?;
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(urbanfits::password_changed()));
    let changed = reset.run(command, &ticket.recorder(&write)).await;
    changed.or_refuse(|refused| match refused {
        CodeRefused::NoCode => Refusal::Expired,
        CodeRefused::Wrong => Refusal::Incorrect,
    })?;
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let reset = wiring.reset_by_code()?;
    let once = wiring.once(urbanfits::caller, None)?;
    wiring.serve_once(module_path!(), once, reset, change_password).await
}
