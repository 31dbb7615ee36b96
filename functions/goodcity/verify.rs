//! `POST /api/v1/auth/verify` (GoodCity): accepts a pin and returns a token and the user.

use latchkey::contracts::goodcity::{self, Refusal, UserObject, VerifiedUser, VerifyRequest};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{VerifiedAccount, VerifyCode};
use latchkey::wiring::{TokenIssuer, Wiring};

struct Verify {
    verify_code: VerifyCode,
    issuer: TokenIssuer,
}

async fn verify(endpoint: &Verify, request: &Request) -> Result<Response, Refusal> {
    let VerifyRequest { handle, pin } = VerifyRequest::read(request)?;
    // Read before the pin is used up: if no token can be signed, the pin stays valid.
    let signer = endpoint.issuer.tokens.signer().await?;
    let source = http::source_address(request);
    let VerifiedAccount { user, at } = endpoint.verify_code.run(handle, &pin, &source).await?;
    let TokenIssuer { lifetime, name, .. } = &endpoint.issuer;
    let jwt_token = goodcity::token_for(&user.id, at, *lifetime, name.as_deref(), &*signer)?;
    let verified = VerifiedUser { jwt_token, user: UserObject::of(&user)? };
    Ok(http::json(StatusCode::OK, &verified))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&goodcity::PROFILE)?;
    let endpoint = Verify { verify_code: wiring.verify_code()?, issuer: wiring.token_issuer()? };
    wiring.serve(module_path!(), endpoint, verify).await
}
