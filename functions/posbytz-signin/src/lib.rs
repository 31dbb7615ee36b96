//! `POST /ecommerce/v1/auth/signin` (PosBytz): a shop's server signs a customer in.
//!
//! Who may call is judged before the body, as at sign-up.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::posbytz::{self, ClientsOnly, CustomerSession, Refusal, SigninRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::SignInByPassword;
use std::sync::Arc;
use std::time::Duration;

/// What signing in takes.
pub struct Signin {
    /// Lets clients in.
    pub clients_only: ClientsOnly,
    /// Compares the password.
    pub sign_in: SignInByPassword,
    /// PosBytz's tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long a token works.
    pub access_life: Duration,
}

/// PosBytz's words in, PosBytz's words out.
pub async fn handle(endpoint: &Signin, request: Request) -> Answer {
    posbytz::answer(signin(endpoint, &request).await)
}

async fn signin(endpoint: &Signin, request: &Request) -> Result<Answer, Refusal> {
    let caller = endpoint.clients_only.caller(request).await?;
    let (visitor, password) = SigninRequest::read(request)?.for_client(caller, request);
    let signer = endpoint.access_tokens.signer().await?;
    let signed_in = endpoint.sign_in.run(password, visitor).await?;
    let (user, life) = (&signed_in.user.id, endpoint.access_life);
    let token = posbytz::customer_token(user, signed_in.at, life, &*signer)?;
    Ok(http::json(StatusCode::OK, &CustomerSession::new(token, life)))
}
