//! `POST /users` (Gotu): signs a user up by phone and code, or by e-mail and password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, SignUpRequest};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{EnterByCode, EnterRefused, Entered, SignUpByPassword, Taken};
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostUsers {
    by_code: EnterByCode,
    by_password: SignUpByPassword,
    issuer: TokenIssuer,
}

async fn post_users(endpoint: &PostUsers, request: &Request) -> Result<Response, Refusal> {
    let sign_up = SignUpRequest::read(request)?;
    // Read before anything is written: the user could not use an account without a token.
    let signer = endpoint.issuer.tokens.signer().await?;
    let write = |entered: &Entered| {
        let session = gotu::session_opened(entered, endpoint.issuer.lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &session))
    };
    let ticket = Ticket::of(request);
    let recorder = ticket.recorder(&write);
    let signed_up = match sign_up {
        SignUpRequest::Phone(command) => {
            let signed_up = endpoint.by_code.run(command, &recorder).await;
            signed_up.or_refuse(|refused| match refused {
                // Users that exist may not enter here, so the last one does not occur.
                EnterRefused::NoCode | EnterRefused::WrongCode | EnterRefused::Banned => {
                    Refusal::Code
                }
                EnterRefused::Taken => Refusal::PhoneTaken,
            })?
        }
        SignUpRequest::Email(command) => {
            let signed_up = endpoint.by_password.run(command, &recorder).await;
            signed_up.or_refuse(|Taken(_)| Refusal::EmailTaken)?
        }
    };
    Ok(write(&signed_up)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint = PostUsers {
        by_code: wiring.enter_by_code(Audience::Unregistered)?,
        by_password: wiring.sign_up_and_enter()?,
        issuer: wiring.token_issuer()?,
    };
    let once = wiring.once(gotu::caller, Some(&endpoint.issuer.tokens))?;
    wiring.serve_once(module_path!(), once, endpoint, post_users).await
}
