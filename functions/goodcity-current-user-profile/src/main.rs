//! Composition root: the ports named here are all this endpoint may touch.

use goodcity_current_user_profile::handle;
use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::goodcity::{self, SignedIn};
use latchkey::runtime::{TokenSettings, World, serve};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(goodcity::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let signed_in = SignedIn {
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        users: Arc::new(world.store),
        clock: world.clock,
        issuer: tokens.issuer,
    };
    serve(env!("CARGO_PKG_NAME"), goodcity::internal_error, |request| handle(&signed_in, request))
        .await
}
