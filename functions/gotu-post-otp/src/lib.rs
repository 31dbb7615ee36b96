//! `POST /otp` (Gotu): send a one-time code to a phone or an e-mail address.
//!
//! 204 for every well-formed request: whether a code was sent is told to its receiver alone.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::gotu::{self, OtpRequest, Refusal};
use latchkey::http::{self, Answer};
use latchkey::usecases::{RequestCode, RequestCodeCommand};

/// Gotu's words in, Gotu's words out.
pub async fn handle(request_code: &RequestCode, request: Request) -> Answer {
    gotu::answer(post_otp(request_code, &request).await)
}

async fn post_otp(request_code: &RequestCode, request: &Request) -> Result<Answer, Refusal> {
    let OtpRequest { key } = OtpRequest::read(request)?;
    let source = http::source_address(request);
    let locale = http::locale(request, &gotu::LOCALES).to_owned();
    let command = RequestCodeCommand { key, may_send: true, source, locale };
    request_code.run(command).await?;
    Ok(http::empty(StatusCode::NO_CONTENT))
}
