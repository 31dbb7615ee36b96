//! `$default` (Latchkey): answers unknown paths, wrong methods and preflights in the format of the
//! contract that owns the path.

use latchkey::contracts::{self, CONTRACTS, InternalError, OriginsByContract};
use latchkey::http::{Cors, Request, Response};
use latchkey::runtime::{Error, init_telemetry, serve, settings};
use std::future::{Ready, ready};

fn fallback(
    origins: &OriginsByContract,
    request: &Request,
) -> Ready<Result<Response, InternalError>> {
    ready(Ok(contracts::unmatched(request, origins)))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    init_telemetry();
    let names = CONTRACTS.map(|contract| contract.profile.name);
    let origins =
        OriginsByContract::from(names.map(|name| (name, settings::allowed_origins(name))));
    // The contract of the path adds its own headers.
    serve(module_path!(), (Cors::NONE, None), origins, fallback).await
}
