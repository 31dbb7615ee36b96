//! `POST /auth/signup/callback`, `POST /api/auth/signup/callback` (UrbanFits): accepts the code and
//! creates the user, the wallet and a session.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::urbanfits::{
    self, CallbackRequest, Refusal, SessionIssuer, UserObject, UserResponse,
};
use latchkey::domain::challenge::Audience;
use latchkey::domain::session::SessionKind;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::{Entropy, random};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{EnterByCode, EnterRefused, Entered};
use latchkey::wiring::Wiring;
use std::sync::Arc;

struct Callback {
    enter: EnterByCode,
    sessions: SessionIssuer,
    entropy: Arc<dyn Entropy>,
}

async fn signup_callback(endpoint: &Callback, request: &Request) -> Result<Response, Refusal> {
    let CallbackRequest { command } = CallbackRequest::read(request)?;
    // Read before the code is used up: without the keys, the user would be registered but not signed
    // in.
    let keys = endpoint.sessions.keys().await?;
    let padding = random(&*endpoint.entropy)?;
    let write = |entered: &Entered| {
        let user = &entered.user;
        let shown = UserObject::of(user, &*keys.user_agent, &padding)?;
        let response = http::json(StatusCode::OK, &UserResponse::registered(shown.clone()));
        keys.open(response, &shown, user.created_at, SessionKind::Usual)
    };
    let ticket = Ticket::of(request);
    let entered = endpoint.enter.run(command, &ticket.recorder(&write)).await;
    let entered = entered.or_refuse(|refused| match refused {
        // Users that exist may not enter here, so the second one does not occur.
        EnterRefused::NoCode | EnterRefused::Banned => Refusal::Expired,
        EnterRefused::WrongCode => Refusal::Incorrect,
        EnterRefused::Taken => Refusal::Taken,
    })?;
    Ok(write(&entered)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let endpoint = Callback {
        enter: wiring.enter_by_code(Audience::Unregistered)?,
        sessions: SessionIssuer {
            tokens: wiring.access_tokens()?,
            user_agents: wiring.user_agents()?,
            cookies: wiring.cookies()?,
        },
        entropy: wiring.entropy(),
    };
    let once = wiring.once(urbanfits::caller, Some(&endpoint.sessions.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, signup_callback).await
}
