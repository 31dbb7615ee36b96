//! `$default` (every contract): answer what no route serves.
//!
//! Preflights, wrong methods and unknown paths get the answer of the contract that owns the path.

use lambda_http::Request;
use latchkey::contracts;
use latchkey::http::{Answer, Origins};
use std::future::{Ready, ready};

/// The owner's words.
pub fn handle(origins: &Origins, request: &Request) -> Ready<Answer> {
    ready(contracts::unrouted(request, origins))
}
