//! Composition root: the ports named here are all this endpoint may touch.

use goodcity_register_device::{Register, handle};
use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::goodcity::{self, GoodCityEvents, SignedIn};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::RegisterDevice;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(goodcity::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let store = Arc::new(world.store);
    let signed_in = SignedIn {
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        users: store.clone(),
        clock: world.clock.clone(),
        issuer: tokens.issuer,
    };
    let register_device = RegisterDevice {
        devices: store,
        wording: Arc::new(GoodCityEvents),
        clock: world.clock,
        entropy: world.entropy,
    };
    let endpoint = Register { signed_in, register_device };
    serve(env!("CARGO_PKG_NAME"), goodcity::internal_error, |request| handle(&endpoint, request))
        .await
}
