//! `GET /ecommerce/v1/auth/email/verify` (PosBytz): verifies the e-mail address of a customer by
//! the link of a mail.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{self, EmailVerifyRequest, LinkPage, Refusal, Success};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::Error;
use latchkey::usecases::{LinkRefused, VerifyLink};
use latchkey::wiring::Wiring;

async fn email_verify(verify_link: &VerifyLink, request: &Request) -> Result<Response, Refusal> {
    let link = EmailVerifyRequest::read(request);
    if LinkPage::is_wanted(request) {
        let page = if link.is_ok() { LinkPage::Ask } else { LinkPage::Ended };
        return Ok(page.response());
    }
    let EmailVerifyRequest { user, token } = link?;
    let verified = verify_link.run(&user, &token).await;
    verified.or_refuse(|_: LinkRefused| Refusal::InvalidLink)?;
    Ok(http::json(StatusCode::OK, &Success::OK))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let verify_link = wiring.verify_link()?;
    wiring.serve(module_path!(), verify_link, email_verify).await
}
