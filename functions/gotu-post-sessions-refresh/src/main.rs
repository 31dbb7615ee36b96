//! Composition root: the ports named here are all this endpoint may touch.

use gotu_post_sessions_refresh::{PostSessionsRefresh, handle};
use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::adapters::refresh_keys::HmacRefreshKeys;
use latchkey::contracts::gotu::{self, GotuEvents};
use latchkey::runtime::{TokenSettings, World, refresh_key, serve};
use latchkey::usecases::Refresh;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    let refresh_keys = world.key_ring(&refresh_key(gotu::NAME)?, Contents::Keys)?;
    world.warm_up(&[&token_keys, &refresh_keys]).await;
    let refresh = Refresh {
        sessions: Arc::new(world.store),
        keys: Arc::new(HmacRefreshKeys::new(refresh_keys)),
        wording: Arc::new(GotuEvents),
        clock: world.clock,
        entropy: world.entropy,
    };
    let endpoint = PostSessionsRefresh {
        refresh,
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
