//! `GET /user/get/me`, `GET /api/user/get/me` (UrbanFits): returns the signed-in user.

use latchkey::contracts::urbanfits::{self, Authenticator, Refusal, UserResponse};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::wiring::Wiring;

async fn get_me(authenticator: &Authenticator, request: &Request) -> Result<Response, Refusal> {
    let (user, _) = authenticator.user(request).await?;
    Ok(http::json(StatusCode::OK, &UserResponse::known(user)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&urbanfits::PROFILE)?;
    let authenticator = Authenticator {
        access_tokens: wiring.access_tokens()?,
        sessions: wiring.sessions()?,
        clock: wiring.clock(),
    };
    wiring.serve(module_path!(), authenticator, get_me).await
}
