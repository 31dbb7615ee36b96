//! Composition root: the ports named here are all this endpoint may touch.

use goodcity_send_pin::handle;
use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::goodcity;
use latchkey::runtime::{World, log_guess_risk, serve};
use latchkey::usecases::RequestCode;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    // The ids of the keys are enough to send: this endpoint could not derive a pin.
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Ids)?;
    world.warm_up(&[&code_keys]).await;
    log_guess_risk(goodcity::NAME, goodcity::CODE_FORMAT, &world.settings);
    let request_code = RequestCode {
        challenges: Arc::new(world.store),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        clock: world.clock,
        entropy: world.entropy,
        policy: world.settings.sends,
        handles: Some(goodcity::otp_auth_key),
    };
    serve(env!("CARGO_PKG_NAME"), goodcity::internal_error, |request| {
        handle(&request_code, request)
    })
    .await
}
