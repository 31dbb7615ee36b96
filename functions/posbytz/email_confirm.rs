//! `POST /ecommerce/v1/auth/email/verify` (PosBytz): verifies the e-mail address of a customer
//! after the button of its page.

use latchkey::contracts::posbytz::{self, EmailVerifyRequest, LinkPage, LinkPages, Refusal};
use latchkey::contracts::{OrRefuse as _, names};
use latchkey::http::{Request, Response};
use latchkey::runtime::{Error, settings};
use latchkey::usecases::{Failure, LinkRefused, VerifyLink};
use latchkey::wiring::Wiring;

async fn email_confirm(
    (verify_link, pages): &(VerifyLink, LinkPages),
    request: &Request,
) -> Result<Response, Refusal> {
    let Ok(EmailVerifyRequest { user, token }) = EmailVerifyRequest::read(request) else {
        return Ok(pages.response(LinkPage::Ended, request));
    };
    let verified = match verify_link.run(&user, &token).await {
        Err(Failure::Refused(LinkRefused::Used)) => {
            return Ok(pages.response(LinkPage::AlreadyConfirmed, request));
        }
        verified => verified.or_refuse(|_| Refusal::InvalidLink),
    };
    let page = match verified {
        Ok(()) => LinkPage::Confirmed,
        Err(Refusal::InvalidLink) => LinkPage::Ended,
        Err(_) => LinkPage::Failed,
    };
    Ok(pages.response(page, request))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let pages = LinkPages::new(settings::page_brand(posbytz::PROFILE.name, &names())?);
    let state = (wiring.verify_link()?, pages);
    wiring.serve(module_path!(), state, email_confirm).await
}
