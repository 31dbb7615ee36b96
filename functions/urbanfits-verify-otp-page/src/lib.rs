//! `GET /auth/signup/verify-otp` (UrbanFits): the page where people type the code.

use latchkey::contracts::urbanfits;
use latchkey::http::Answer;
use std::future::{Ready, ready};

/// The page; it is the same for everybody, so nothing of the request is looked at.
pub fn handle() -> Ready<Answer> {
    ready(urbanfits::code_page())
}
