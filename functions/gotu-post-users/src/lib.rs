//! `POST /users` (Gotu): sign up by phone and code, or by e-mail and password.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, Refusal, SignUpRequest};
use latchkey::http::{self, Answer};
use latchkey::ports::AccessTokens;
use latchkey::usecases::{Applicant, SignUpByCode, SignUpByPassword};
use std::sync::Arc;
use std::time::Duration;

/// What signing up takes.
pub struct PostUsers {
    /// The phone flow.
    pub by_code: SignUpByCode,
    /// The e-mail flow.
    pub by_password: SignUpByPassword,
    /// Gotu's access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// How long an access token works.
    pub access_life: Duration,
}

/// Gotu's words in, Gotu's words out.
pub async fn handle(endpoint: &PostUsers, request: Request) -> Answer {
    gotu::answer(post_users(endpoint, &request).await)
}

async fn post_users(endpoint: &PostUsers, request: &Request) -> Result<Answer, Refusal> {
    let request = SignUpRequest::read(request)?;
    // Before anything is written: an account without a token would strand its owner.
    let signer = endpoint.access_tokens.signer().await?;
    let user_type = |applicant: &Applicant| {
        applicant.attributes.get(gotu::USER_TYPE).cloned().unwrap_or_default()
    };
    let (signed_up, user_type) = match request {
        SignUpRequest::Phone { phone, code, applicant } => {
            let user_type = user_type(&applicant);
            let signed_up = endpoint.by_code.run(phone, &code, applicant).await;
            (signed_up.map_err(|error| Refusal::of_sign_up(error, Refusal::PhoneTaken))?, user_type)
        }
        SignUpRequest::Email { email, password, applicant } => {
            let user_type = user_type(&applicant);
            let signed_up = endpoint.by_password.run(email, password, applicant).await;
            (signed_up.map_err(|error| Refusal::of_sign_up(error, Refusal::EmailTaken))?, user_type)
        }
    };
    let session = gotu::session_issued(&signed_up, &user_type, endpoint.access_life, &*signer)?;
    Ok(http::json(StatusCode::OK, &session))
}
