//! Composition root: this endpoint touches nothing.

use fallback::handle;
use lambda_http::Error;
use shared::contracts;
use shared::runtime::{init_telemetry, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    serve(contracts::internal_error, |request| handle(&request)).await
}
