//! `GET /ecommerce/v1/auth/email/verify` (PosBytz): verifies the e-mail address of a customer by
//! the link of a mail.

use latchkey::contracts::posbytz::{
    self, EmailVerifyRequest, LinkPage, LinkPages, Refusal, Success,
};
use latchkey::contracts::{OrRefuse as _, names};
use latchkey::http::{self, Request, Response, StatusCode};
use latchkey::runtime::{Error, settings};
use latchkey::usecases::{LinkRefused, VerifyLink};
use latchkey::wiring::Wiring;

async fn email_verify(
    (verify_link, pages): &(VerifyLink, LinkPages),
    request: &Request,
) -> Result<Response, Refusal> {
    let link = EmailVerifyRequest::read(request);
    if LinkPage::is_wanted(request) {
        let page = if link.is_ok() { LinkPage::Ask } else { LinkPage::Ended };
        return Ok(pages.response(page, request));
    }
    let EmailVerifyRequest { user, token } = link?;
    let verified = verify_link.run(&user, &token).await;
    verified.or_refuse(|_: LinkRefused| Refusal::InvalidLink)?;
    Ok(http::json(StatusCode::OK, &Success::OK))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    let mut wiring = Wiring::of(&posbytz::PROFILE)?;
    let pages = LinkPages::new(settings::page_brand(posbytz::PROFILE.name, &names())?);
    let state = (wiring.verify_link()?, pages);
    wiring.serve(module_path!(), state, email_verify).await
}
