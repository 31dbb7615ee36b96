//! `GET /auth/signup/verify-otp`, `GET /api/auth/signup/verify-otp` (UrbanFits): serves the page
//! that asks for the code.

use latchkey::contracts::names;
use latchkey::contracts::urbanfits::{self, CodePages, Refusal};
use latchkey::http::{Cors, Request, Response};
use latchkey::runtime::{Error, init_telemetry, serve, settings};
use std::future::{Ready, ready};

/// Returns the same page for every request in a language, so that it does not tell which sign-ups wait.
fn verify_otp_page(pages: &CodePages, request: &Request) -> Ready<Result<Response, Refusal>> {
    ready(Ok(pages.response(request)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    init_telemetry();
    let brand = settings::page_brand(urbanfits::PROFILE.name, &names())?;
    let pages = CodePages::new(settings::resend_pause()?, brand);
    serve(module_path!(), (Cors::NONE, None), pages, verify_otp_page).await
}
