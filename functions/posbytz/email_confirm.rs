//! `POST /ecommerce/v1/auth/email/verify` (PosBytz): verifies the e-mail address of a customer
//! after the button of its page.

use latchkey::contracts::OrRefuse as _;
use latchkey::contracts::posbytz::{self, EmailVerifyRequest, LinkPage, Refusal};
use latchkey::http::{Request, Response};
use latchkey::runtime::Error;
use latchkey::usecases::{Failure, LinkRefused, VerifyLink};
use latchkey::wiring::Wiring;

async fn email_confirm(verify_link: &VerifyLink, request: &Request) -> Result<Response, Refusal> {
    let Ok(EmailVerifyRequest { user, token }) = EmailVerifyRequest::read(request) else {
        return Ok(LinkPage::Ended.response());
    };
    let verified = match verify_link.run(&user, &token).await {
        Err(Failure::Refused(LinkRefused::Used)) => {
            return Ok(LinkPage::AlreadyConfirmed.response());
        }
        verified => verified.or_refuse(|_| Refusal::InvalidLink),
    };
    let page = match verified {
        Ok(()) => LinkPage::Confirmed,
        Err(Refusal::InvalidLink) => LinkPage::Ended,
        Err(_) => LinkPage::Failed,
    };
    Ok(page.response())
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let verify_link = wiring.verify_link()?;
    wiring.serve(module_path!(), verify_link, email_confirm).await
}
