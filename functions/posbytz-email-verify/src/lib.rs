//! `GET /ecommerce/v1/auth/email/verify` (PosBytz): follow the link of a mail.

use lambda_http::Request;
use lambda_http::http::StatusCode;
use latchkey::contracts::posbytz::{self, EmailVerifyRequest, Refusal, Success};
use latchkey::http::{self, Answer};
use latchkey::usecases::VerifyLink;

/// PosBytz's words in, PosBytz's words out.
pub async fn handle(verify_link: &VerifyLink, request: Request) -> Answer {
    posbytz::answer(email_verify(verify_link, &request).await)
}

async fn email_verify(verify_link: &VerifyLink, request: &Request) -> Result<Answer, Refusal> {
    let EmailVerifyRequest { user, token } = EmailVerifyRequest::read(request)?;
    verify_link.run(&user, &token).await?;
    Ok(http::json(StatusCode::OK, &Success::OK))
}
