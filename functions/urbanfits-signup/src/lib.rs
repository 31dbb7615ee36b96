//! `POST /auth/signup` (UrbanFits): keep a sign-up, and mail the code that completes it.
//!
//! No user is made and nothing is reserved until the code is typed.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::urbanfits::{self, PendingAnswer, Refusal, SignupRequest};
use latchkey::http::{self, Answer, Origins};
use latchkey::usecases::StartSignUp;

/// UrbanFits' words in, UrbanFits' words out.
pub async fn handle(start: &StartSignUp, origins: &Origins, request: Request) -> Answer {
    let answer = urbanfits::answer(signup(start, &request).await);
    origins.readers(&request).tell(answer)
}

async fn signup(start: &StartSignUp, request: &Request) -> Result<Answer, Refusal> {
    let locale = http::locale(request, &urbanfits::LOCALES);
    let SignupRequest { command, typed_email } = SignupRequest::read(request, locale)?;
    let handle = start.run(command).await?;
    Ok(http::json(StatusCode::OK, &PendingAnswer::new(&handle, &typed_email)))
}
