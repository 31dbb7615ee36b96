//! `POST /ecommerce/v1/auth/signin` (PosBytz): signs a customer of a shop in.
//!
//! The client is checked before the body.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    self, ClientAuthenticator, CustomerSession, Refusal, SigninRequest,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{SignInByPassword, SignInRefused};
use latchkey::wiring::{TokenIssuer, Wiring};

struct Signin {
    clients: ClientAuthenticator,
    sign_in: SignInByPassword,
    issuer: TokenIssuer,
}

async fn signin(endpoint: &Signin, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let (command, password) = SigninRequest::read(request)?.for_client(caller);
    let signer = endpoint.issuer.tokens.signer().await?;
    let signed_in = endpoint.sign_in.run(password, command).await;
    let signed_in = signed_in.or_refuse(|refused| match refused {
        SignInRefused::NoSuchUser | SignInRefused::WrongPassword => Refusal::Credentials,
        SignInRefused::NotVerified => Refusal::NotVerified,
    })?;
    let (user, lifetime) = (&signed_in.user.id, endpoint.issuer.lifetime);
    let token = posbytz::customer_token(user, signed_in.at, lifetime, &*signer)?;
    Ok(http::json(StatusCode::OK, &CustomerSession::new(token, lifetime)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = Signin {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        sign_in: wiring.sign_in_or_resend()?,
        issuer: wiring.token_issuer()?,
    };
    wiring.serve(module_path!(), endpoint, signin).await
}
