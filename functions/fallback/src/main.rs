//! Composition root: this endpoint touches nothing.

use fallback::handle;
use lambda_http::Error;
use latchkey::contracts::{self, urbanfits};
use latchkey::runtime::{allowed_origins, init_telemetry, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    let origins = allowed_origins(urbanfits::NAME);
    serve(env!("CARGO_PKG_NAME"), contracts::internal_error, |request| handle(&origins, &request))
        .await
}
