//! `POST /users` (Gotu): signs a user up by phone and code, or by e-mail and password.

use latchkey::contracts::gotu::{self, Refusal, SignUpRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{SignUpByCode, SignUpByPassword};
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostUsers {
    by_code: SignUpByCode,
    by_password: SignUpByPassword,
    issuer: TokenIssuer,
}

async fn post_users(endpoint: &PostUsers, request: &Request) -> Result<Response, Refusal> {
    let request = SignUpRequest::read(request)?;
    // Read before anything is written: the user could not use an account without a token.
    let signer = endpoint.issuer.tokens.signer().await?;
    let user_type = request.user_type();
    let signed_up = match request {
        SignUpRequest::Phone { phone, code, command } => {
            let signed_up = endpoint.by_code.run(phone, &code, command).await;
            signed_up.map_err(|error| Refusal::of_sign_up(error, Refusal::PhoneTaken))?
        }
        SignUpRequest::Email { email, password, command } => {
            let signed_up = endpoint.by_password.run(email, password, command).await;
            signed_up.map_err(|error| Refusal::of_sign_up(error, Refusal::EmailTaken))?
        }
    };
    let lifetime = endpoint.issuer.lifetime;
    let session = gotu::session_issued(&signed_up, user_type.as_deref(), lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let (by_code, by_password) = wiring.sign_up_by_code_or_password()?;
    let endpoint = PostUsers { by_code, by_password, issuer: wiring.token_issuer()? };
    wiring.serve(module_path!(), endpoint, post_users).await
}
