//! Composition root: the ports named here are all this endpoint may touch.

use goodcity_signup::handle;
use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::dynamodb::DynamoSequenceIds;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::goodcity::{self, GoodCityEvents};
use latchkey::runtime::{World, log_guess_risk, serve};
use latchkey::usecases::{RequestCode, SignUpUnverified};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    // The ids of the keys are enough to send: this endpoint could not derive a pin.
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Ids)?;
    world.warm_up(&[&code_keys]).await;
    log_guess_risk(goodcity::NAME, goodcity::CODE_FORMAT, &world.settings);
    let request_code = RequestCode {
        challenges: Arc::new(world.store.clone()),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        clock: world.clock,
        entropy: world.entropy,
        policy: world.settings.sends,
        handles: Some(goodcity::otp_auth_key),
    };
    let sign_up = SignUpUnverified {
        request_code,
        ids: Arc::new(DynamoSequenceIds::new(world.store)),
        wording: Arc::new(GoodCityEvents),
    };
    serve(env!("CARGO_PKG_NAME"), goodcity::internal_error, |request| handle(&sign_up, request))
        .await
}
