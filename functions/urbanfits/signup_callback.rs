//! `POST /auth/signup/callback`, `POST /api/auth/signup/callback` (UrbanFits): accepts the code and
//! creates the user, the wallet and a session.

use latchkey::contracts::urbanfits::{
    self, CallbackRequest, Refusal, SessionIssuer, UserObject, UserResponse,
};
use latchkey::domain::session::SessionKind;
use latchkey::http::{self, AllowedOrigins, Request, Response, StatusCode};
use latchkey::ports::{Entropy, random};
use latchkey::runtime::Error;
use latchkey::usecases::CompleteSignUp;
use latchkey::wiring::Wiring;
use std::sync::Arc;

struct Callback {
    complete: CompleteSignUp,
    sessions: SessionIssuer,
    entropy: Arc<dyn Entropy>,
    origins: AllowedOrigins,
}

async fn signup_callback(endpoint: &Callback, request: &Request) -> Result<Response, Refusal> {
    // A page of another origin must not sign its visitor in to another account.
    if !endpoint.origins.allow(request) {
        return Err(Refusal::Origin);
    }
    let CallbackRequest { handle, otp, attributes } = CallbackRequest::read(request)?;
    // Read before the code is used up: without the keys, the user would be registered but not signed
    // in.
    let keys = endpoint.sessions.keys().await?;
    let source = http::source_address(request);
    let user = endpoint.complete.run(handle, &otp, &source, attributes).await?;
    let shown = UserObject::of(&user, &*keys.user_agent, &random(&*endpoint.entropy)?)?;
    let response = http::json(StatusCode::OK, &UserResponse::registered(shown.clone()));
    Ok(keys.open(response, &shown, user.created_at, SessionKind::Usual)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let endpoint = Callback {
        complete: wiring.complete_sign_up(urbanfits::WALLET)?,
        sessions: SessionIssuer {
            tokens: wiring.access_tokens()?,
            user_agents: wiring.user_agents()?,
            cookies: wiring.cookies()?,
        },
        entropy: wiring.entropy(),
        origins: wiring.allowed_origins(),
    };
    wiring.serve(module_path!(), endpoint, signup_callback).await
}
