//! `POST /sessions` (Gotu): signs a user in with e-mail and password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, SessionRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{Entered, SignInByPassword, SignInRefused};
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostSessions {
    sign_in: SignInByPassword,
    issuer: TokenIssuer,
}

async fn post_sessions(endpoint: &PostSessions, request: &Request) -> Result<Response, Refusal> {
    let SessionRequest { command, password } = SessionRequest::read(request)?;
    let signer = endpoint.issuer.tokens.signer().await?;
    let write = |entered: &Entered| {
        let session = gotu::session_opened(entered, endpoint.issuer.lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &session))
    };
    let ticket = Ticket::of(request);
    let signed_in = endpoint.sign_in.run(password, command, &ticket.recorder(&write)).await;
    let signed_in = signed_in.or_refuse(|refused| match refused {
        SignInRefused::NoSuchUser => Refusal::NoSuchUser,
        SignInRefused::WrongPassword => Refusal::Password,
        // Users whose address is not verified may sign in, so only the second one occurs.
        SignInRefused::NotVerified | SignInRefused::Banned => Refusal::Forbidden,
    })?;
    Ok(write(&signed_in)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint =
        PostSessions { sign_in: wiring.sign_in_by_password()?, issuer: wiring.token_issuer()? };
    let once = wiring.once(gotu::caller, Some(&endpoint.issuer.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, post_sessions).await
}
