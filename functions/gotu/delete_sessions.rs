//! `DELETE /sessions` (Gotu): signs a user out of one session or of all sessions.

use latchkey::contracts::gotu::{self, Authenticator, Refusal};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
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
    endpoint.sign_out.run(&user, gotu::sessions_to_end(request, device)).await?;
    Ok(http::empty(StatusCode::NO_CONTENT))
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
    wiring.serve(module_path!(), endpoint, delete_sessions).await
}
