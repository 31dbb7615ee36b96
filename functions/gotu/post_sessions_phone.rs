//! `POST /sessions/phone` (Gotu): signs a user in with a phone and a code.

use latchkey::contracts::gotu::{self, Refusal, SessionByPhoneRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::SignInByCode;
use latchkey::wiring::{TokenIssuer, Wiring};

struct PostSessionsPhone {
    sign_in: SignInByCode,
    issuer: TokenIssuer,
}

async fn post_sessions_phone(
    endpoint: &PostSessionsPhone,
    request: &Request,
) -> Result<Response, Refusal> {
    let SessionByPhoneRequest { command, code } = SessionByPhoneRequest::read(request)?;
    // Read before the code is used up: if no token can be signed, the code stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let signed_in = endpoint.sign_in.run(&code, command).await?;
    let session = gotu::session_opened(&signed_in, endpoint.issuer.lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&gotu::PROFILE)?;
    let endpoint =
        PostSessionsPhone { sign_in: wiring.sign_in_by_code()?, issuer: wiring.token_issuer()? };
    wiring.serve(module_path!(), endpoint, post_sessions_phone).await
}
