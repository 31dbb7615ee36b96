//! `GET /api/v1/auth/current_user_profile` (GoodCity): returns the signed-in user.

use latchkey::contracts::goodcity::{self, Authenticator, Refusal, UserObject};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::wiring::Wiring;

async fn current_user_profile(
    authenticator: &Authenticator,
    request: &Request,
) -> Result<Response, Refusal> {
    let user = authenticator.user(request).await?;
    Ok(http::json(StatusCode::OK, &UserObject::of(&user)?))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let issuer = wiring.token_issuer()?;
    let authenticator = Authenticator {
        access_tokens: issuer.tokens,
        users: wiring.users()?,
        clock: wiring.clock(),
        issuer: issuer.name,
    };
    wiring.serve(module_path!(), authenticator, current_user_profile).await
}
