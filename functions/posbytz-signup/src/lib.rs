//! `POST /ecommerce/v1/auth/signup` (PosBytz): a shop's server signs a customer up.
//!
//! Who may call is judged before the body, the body before anything is looked up.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::posbytz::{self, ClientsOnly, CustomerCreated, Refusal, SignupRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::Entropy;
use latchkey::usecases::SignUpToVerify;
use std::sync::Arc;

/// What signing up takes.
pub struct Signup {
    /// Lets clients in.
    pub clients_only: ClientsOnly,
    /// Makes the account.
    pub sign_up: SignUpToVerify,
    /// Random bytes, for what the answer shows.
    pub entropy: Arc<dyn Entropy>,
}

/// PosBytz's words in, PosBytz's words out.
pub async fn handle(endpoint: &Signup, request: Request) -> Answer {
    posbytz::answer(signup(endpoint, &request).await)
}

async fn signup(endpoint: &Signup, request: &Request) -> Result<Answer, Refusal> {
    let caller = endpoint.clients_only.caller(request).await?;
    let (command, contacts) = SignupRequest::read(request)?.for_client(caller);
    let signed_up = endpoint.sign_up.run(command).await?;
    let created = CustomerCreated::of(&signed_up, &contacts, &*endpoint.entropy)?;
    Ok(http::json(StatusCode::CREATED, &created))
}
