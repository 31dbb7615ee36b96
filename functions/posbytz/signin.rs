//! `POST /ecommerce/v1/auth/signin` (PosBytz): signs a customer of a shop in.
//!
//! The client is checked before the body.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    self, ClientAuthenticator, CustomerSession, Refusal, SigninRequest,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{Entered, SignInByPassword, SignInRefused};
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
    let lifetime = endpoint.issuer.lifetime;
    let write = |entered: &Entered| {
        let token = posbytz::customer_token(&entered.user.id, entered.at, lifetime, &*signer)?;
        Ok(http::json(StatusCode::OK, &CustomerSession::new(token, lifetime)))
    };
    let ticket = Ticket::of(request);
    let signed_in = endpoint.sign_in.run(password, command, &ticket.recorder(&write)).await;
    let signed_in = signed_in.or_refuse(|refused| match refused {
        SignInRefused::NoSuchUser | SignInRefused::WrongPassword => Refusal::Credentials,
        SignInRefused::NotVerified => Refusal::NotVerified,
        SignInRefused::Banned => Refusal::Blocked,
    })?;
    Ok(write(&signed_in)?)
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
    let once = wiring.once(
        |endpoint: &Signin, request| endpoint.clients.owner_of_key(request),
        Some(&endpoint.issuer.tokens),
    )?;
    wiring.serve_once(module_path!(), once, endpoint, signin).await
}
