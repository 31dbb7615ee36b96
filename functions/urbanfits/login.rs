//! `POST /auth/login`, `POST /api/auth/login` (UrbanFits): signs a user in with e-mail or username
//! and password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{
    self, LoginRequest, Refusal, SessionIssuer, UserObject, UserResponse,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::SignInByPassword;
use latchkey::wiring::Wiring;

struct Login {
    sign_in: SignInByPassword,
    sessions: SessionIssuer,
}

async fn login(endpoint: &Login, request: &Request) -> Result<Response, Refusal> {
    let LoginRequest { command, password, session_kind, user_agent } = LoginRequest::read(request)?;
    let keys = endpoint.sessions.keys().await?;
    // One text for all of them, so that the response does not tell which accounts exist
    // (CONTRACT.md, "Differences from the original").
    let signed_in = endpoint.sign_in.run(password, command).await;
    let signed_in = signed_in.or_refuse(|_| Refusal::Credentials)?;
    let agent = keys.user_agent.sign(&user_agent);
    let shown = UserObject::of_known(&signed_in.user, signed_in.at, agent)?;
    let response = http::json(StatusCode::OK, &UserResponse::signed_in(shown.clone()));
    Ok(keys.open(response, &shown, signed_in.at, session_kind)?)
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
    wiring.serve(module_path!(), endpoint, login).await
}
