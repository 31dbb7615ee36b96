//! `POST /auth/login`, `POST /api/auth/login` (UrbanFits): signs a user in with e-mail or username
//! and password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{
    self, LoginRequest, Refusal, SessionIssuer, UserObject, UserResponse,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{Entered, SignInByPassword};
use latchkey::wiring::Wiring;

struct Login {
    sign_in: SignInByPassword,
    sessions: SessionIssuer,
}

async fn login(endpoint: &Login, request: &Request) -> Result<Response, Refusal> {
    let LoginRequest { command, password, session_kind, user_agent } = LoginRequest::read(request)?;
    let keys = endpoint.sessions.keys().await?;
    let agent = keys.user_agent.sign(&user_agent);
    let write = |signed_in: &Entered| {
        let shown = UserObject::of_known(&signed_in.user, signed_in.at, agent.clone())?;
        let response = http::json(StatusCode::OK, &UserResponse::signed_in(shown.clone()));
        keys.open(response, &shown, signed_in.at, session_kind)
    };
    let ticket = Ticket::of(request);
    // One text for all of them, so that the response does not tell which accounts exist
    // (CONTRACT.md, "Differences from the original").
    let signed_in = endpoint.sign_in.run(password, command, &ticket.recorder(&write)).await;
    let signed_in = signed_in.or_refuse(|_| Refusal::Credentials)?;
    Ok(write(&signed_in)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let endpoint = Login {
        sign_in: wiring.sign_in_by_password()?,
        sessions: SessionIssuer {
            tokens: wiring.access_tokens()?,
            user_agents: wiring.user_agents()?,
            cookies: wiring.cookies()?,
        },
    };
    let once = wiring.once(urbanfits::caller, Some(&endpoint.sessions.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, login).await
}
