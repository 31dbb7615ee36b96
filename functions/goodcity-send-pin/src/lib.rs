//! `POST /api/v1/auth/send_pin` (GoodCity): text a pin to a mobile.
//!
//! Registered and unregistered mobiles get the same answer, at the same cost.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::goodcity::{self, OtpAuthKey, Refusal, SendPinRequest};
use latchkey::http::{self, Answer};
use latchkey::usecases::{RequestCode, RequestCodeCommand};

/// GoodCity's words in, GoodCity's words out.
pub async fn handle(request_code: &RequestCode, request: Request) -> Answer {
    goodcity::answer(send_pin(request_code, &request).await)
}

async fn send_pin(request_code: &RequestCode, request: &Request) -> Result<Answer, Refusal> {
    let SendPinRequest { key, may_send } = SendPinRequest::read(request)?;
    let source = http::source_address(request);
    let locale = http::locale(request, &goodcity::LOCALES).to_owned();
    let command = RequestCodeCommand { key, may_send, source, locale };
    let requested = request_code.run(command).await?;
    Ok(http::json(StatusCode::OK, &OtpAuthKey::from(requested)))
}
