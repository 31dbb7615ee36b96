//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::posbytz;
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::GrantClientToken;
use posbytz_oauth2_token::{Token, handle};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(posbytz::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let endpoint = Token {
        grant: GrantClientToken {
            clients: Arc::new(world.store),
            clock: world.clock,
            entropy: world.entropy,
            contract: posbytz::NAME,
        },
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), posbytz::internal_error, |request| handle(&endpoint, request))
        .await
}
