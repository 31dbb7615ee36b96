//! Composition root: this endpoint touches nothing.

use lambda_http::Error;
use latchkey::contracts::urbanfits;
use latchkey::runtime::{init_telemetry, serve};
use urbanfits_verify_otp_page::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_telemetry();
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |_| handle()).await
}
