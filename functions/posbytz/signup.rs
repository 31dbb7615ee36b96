//! `POST /ecommerce/v1/auth/signup` (PosBytz): signs a customer of a shop up, mails a link and
//! texts a code.
//!
//! The client is checked before the body, and the body before anything is looked up.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{
    self, ClientAuthenticator, CustomerCreated, Refusal, SignupRequest,
};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::ports::{Entropy, random};
use latchkey::runtime::{Error, Ticket};
use latchkey::usecases::{Entered, SignUpByPassword};
use latchkey::wiring::Wiring;
use std::sync::Arc;

struct Signup {
    clients: ClientAuthenticator,
    sign_up: SignUpByPassword,
    entropy: Arc<dyn Entropy>,
}

async fn signup(endpoint: &Signup, request: &Request) -> Result<Response, Refusal> {
    let caller = endpoint.clients.caller(request).await?;
    let (command, contacts) = SignupRequest::read(request)?.for_client(caller);
    let unused = random(&*endpoint.entropy)?;
    let write = |signed_up: &Entered| {
        Ok(http::json(StatusCode::CREATED, &CustomerCreated::of(signed_up, &contacts, &unused)))
    };
    let ticket = Ticket::of(request);
    let signed_up = endpoint.sign_up.run(command, &ticket.recorder(&write)).await;
    Ok(write(&signed_up.or_refuse(Refusal::from)?)?)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let access_tokens = wiring.access_tokens()?;
    let endpoint = Signup {
        clients: ClientAuthenticator { access_tokens, clock: wiring.clock() },
        sign_up: wiring.sign_up_and_wait()?,
        entropy: wiring.entropy(),
    };
    let once =
        wiring.once(|endpoint: &Signup, request| endpoint.clients.owner_of_key(request), None)?;
    wiring.serve_once(module_path!(), once, endpoint, signup).await
}
