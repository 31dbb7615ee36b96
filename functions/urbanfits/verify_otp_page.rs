//! `GET /auth/signup/verify-otp`, `GET /api/auth/signup/verify-otp` (UrbanFits): serves the page
//! that asks for the code.

use latchkey::contracts::urbanfits::{self, PageLinks, Refusal};
use latchkey::http::{Cors, Request, Response};
use latchkey::runtime::{Error, init_telemetry, serve, settings};
use std::future::{Ready, ready};

/// Returns the same page for every request, so that it does not tell which sign-ups wait.
fn verify_otp_page(page: &Response, _: &Request) -> Ready<Result<Response, Refusal>> {
    ready(Ok(page.clone()))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    init_telemetry();
    let link = |kind| settings::page_link(kind, urbanfits::PROFILE.name);
    let links = PageLinks {
        sign_up: link("SIGN_UP_URL")?,
        sign_in: link("SIGN_IN_URL")?,
        shop: link("SHOP_URL")?,
    };
    let page = urbanfits::code_page(settings::resend_pause()?, &links);
    serve(module_path!(), (Cors::NONE, None), page, verify_otp_page).await
}
