//! `POST /api/v1/auth/signup` (GoodCity): create a user, unverified, and text them a pin.
//!
//! A mobile that is known keeps its user and gets a pin; the answer is the same.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::goodcity::{self, OtpAuthKey, Refusal, SignupRequest};
use latchkey::http::{self, Answer};
use latchkey::usecases::{RequestCodeCommand, SignUpUnverified};

/// GoodCity's words in, GoodCity's words out.
pub async fn handle(sign_up: &SignUpUnverified, request: Request) -> Answer {
    goodcity::answer(signup(sign_up, &request).await)
}

async fn signup(sign_up: &SignUpUnverified, request: &Request) -> Result<Answer, Refusal> {
    let SignupRequest { key, may_send, newcomer } = SignupRequest::read(request)?;
    let source = http::source_address(request);
    let locale = http::locale(request, &goodcity::LOCALES).to_owned();
    let command = RequestCodeCommand { key, may_send, source, locale };
    let requested = sign_up.run(command, newcomer).await?;
    Ok(http::json(StatusCode::OK, &OtpAuthKey::from(requested)))
}
