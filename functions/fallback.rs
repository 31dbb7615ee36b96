//! `$default` (Latchkey): answers unknown paths, wrong methods and preflights in the format of the
//! contract that owns the path.

use latchkey::contracts::{self, InternalError, urbanfits};
use latchkey::http::{AllowedOrigins, Cors, Request, Response};
use latchkey::runtime::{Error, init_telemetry, serve, settings};
use std::future::{Ready, ready};

fn fallback(origins: &AllowedOrigins, request: &Request) -> Ready<Result<Response, InternalError>> {
    ready(Ok(contracts::unmatched(request, origins)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    init_telemetry();
    let origins = settings::allowed_origins(urbanfits::PROFILE.name);
    // The contract of the path adds its own headers.
    serve(module_path!(), Cors::NONE, origins, fallback).await
}
