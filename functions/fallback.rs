//! `$default` (Latchkey): answers unknown paths, wrong methods and preflights in the format of the
//! contract that owns the path.

use latchkey::contracts::{self, CONTRACTS, InternalError, OriginsByContract};
use latchkey::http::{Cors, Request, Response};
use latchkey::runtime::{Error, init_telemetry, serve, settings};
use std::future::{Ready, ready};

struct Fallback {
    origins: OriginsByContract,
    /// Whether the documents of the API are published.
    publishes: bool,
}

fn fallback(fallback: &Fallback, request: &Request) -> Ready<Result<Response, InternalError>> {
    let document = fallback.publishes.then(|| contracts::document(request)).flatten();
    ready(Ok(document.unwrap_or_else(|| contracts::unmatched(request, &fallback.origins))))
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Error> {
    init_telemetry();
    let names = CONTRACTS.map(|contract| contract.profile.name);
    let origins =
        OriginsByContract::from(names.map(|name| (name, settings::allowed_origins(name))));
    let state = Fallback { origins, publishes: settings::api_documents()? };
    // The contract of the path adds its own headers.
    serve(module_path!(), (Cors::NONE, None), state, fallback).await
}
