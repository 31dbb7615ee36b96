//! `DELETE /sessions` (Gotu): signs a user out of one session or of all sessions.

use latchkey::contracts::gotu::{self, Authenticator, Refusal};
use latchkey::contracts::{OrRefuse as _, never};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::SignOut;
use latchkey::wiring::Wiring;

struct DeleteSessions {
    authenticator: Authenticator,
    sign_out: SignOut,
}

async fn delete_sessions(
    endpoint: &DeleteSessions,
    request: &Request,
) -> Result<Response, Refusal> {
    let (user, device) = endpoint.authenticator.session(request).await?;
    let (ticket, write) = (Ticket::of(request), |(): &()| Ok(http::empty(StatusCode::NO_CONTENT)));
    let which = gotu::sessions_to_end(request, device);
    let ended = endpoint.sign_out.run(&user, which, &ticket.recorder(&write)).await;
    ended.or_refuse(never::<Refusal>)?;
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
    let endpoint = DeleteSessions { authenticator, sign_out: wiring.sign_out()? };
    let once = wiring.once(gotu::account, None)?;
    wiring.serve_once(module_path!(), once, endpoint, delete_sessions).await
}
