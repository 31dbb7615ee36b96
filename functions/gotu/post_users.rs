//! `POST /users` (Gotu): signs a user up by phone and code, or by e-mail and password.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::gotu::{self, Refusal, SignUpRequest};
use latchkey::domain::challenge::Audience;
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{EnterByCode, EnterRefused, SignUpByPassword, Taken};
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostUsers {
    by_code: EnterByCode,
    by_password: SignUpByPassword,
    issuer: TokenIssuer,
}

async fn post_users(endpoint: &PostUsers, request: &Request) -> Result<Response, Refusal> {
    let request = SignUpRequest::read(request)?;
    // Read before anything is written: the user could not use an account without a token.
    let signer = endpoint.issuer.tokens.signer().await?;
    let signed_up = match request {
        SignUpRequest::Phone(command) => {
            let signed_up = endpoint.by_code.run(command).await;
            signed_up.or_refuse(|refused| match refused {
                EnterRefused::NoCode | EnterRefused::WrongCode => Refusal::Code,
                EnterRefused::Taken => Refusal::PhoneTaken,
            })?
        }
        SignUpRequest::Email(command) => {
            let signed_up = endpoint.by_password.run(command).await;
            signed_up.or_refuse(|Taken(_)| Refusal::EmailTaken)?
        }
    };
    let session = gotu::session_opened(&signed_up, endpoint.issuer.lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint = PostUsers {
        by_code: wiring.enter_by_code(Audience::Unregistered)?,
        by_password: wiring.sign_up_and_enter()?,
        issuer: wiring.token_issuer()?,
    };
    wiring.serve(module_path!(), endpoint, post_users).await
}
