//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::urbanfits::{self, SignedIn};
use latchkey::runtime::{CookieSettings, World, allowed_origins, serve};
use std::sync::Arc;
use urbanfits_get_me::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let cookies = CookieSettings::of_contract(urbanfits::NAME)?;
    let session_keys = world.key_ring(&cookies.key, Contents::Keys)?;
    world.warm_up(&[&session_keys]).await;
    let origins = allowed_origins(urbanfits::NAME);
    let signed_in = SignedIn {
        access_tokens: Arc::new(JwtAccessTokens::new(session_keys)),
        sessions: Arc::new(world.store),
        clock: world.clock,
    };
    serve(env!("CARGO_PKG_NAME"), urbanfits::internal_error, |request| {
        handle(&signed_in, &origins, request)
    })
    .await
}
