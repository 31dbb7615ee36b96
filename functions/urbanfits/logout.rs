//! `POST /auth/logout`, `POST /api/auth/logout` (UrbanFits): signs a user out of one session or of
//! all sessions and clears both cookies.

use latchkey::contracts::urbanfits::{self, Authenticator, LogoutRequest, LogoutSessions, Refusal};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::http::{CookiePolicy, Request, Response};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::SignOut;
use latchkey::wiring::Wiring;

struct Logout {
    authenticator: Authenticator,
    sign_out: SignOut,
    cookies: CookiePolicy,
}

async fn logout(endpoint: &Logout, request: &Request) -> Result<Response, Refusal> {
    let LogoutRequest { sessions } = LogoutRequest::read(request)?;
    let write = |(): &()| urbanfits::cleared_cookies(urbanfits::signed_out(), &endpoint.cookies);
    let ticket = Ticket::of(request);
    let recorder = ticket.recorder(&write);
    match endpoint.authenticator.user(request).await {
        Ok((_, session)) => {
            let ended = match sessions {
                LogoutSessions::Current => endpoint.sign_out.of_token(session, &recorder).await,
                LogoutSessions::All => endpoint.sign_out.everywhere(&session, &recorder).await,
            };
            ended.or_refuse(never::<Refusal>)?;
        }
        // Without a session there is nothing to end, but there may be cookies to clear.
        Err(Refusal::Session) => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(write(&())?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let authenticator = Authenticator {
        access_tokens: wiring.access_tokens()?,
        sessions: wiring.sessions()?,
        clock: wiring.clock(),
    };
    let endpoint =
        Logout { authenticator, sign_out: wiring.sign_out()?, cookies: wiring.cookies()? };
    let once = wiring.once(urbanfits::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, logout).await
}
