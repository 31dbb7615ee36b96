//! Composition root: the ports named here are all this endpoint may touch.

use gotu_delete_sessions::{DeleteSessions, handle};
use lambda_http::Error;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu::{self, GotuEvents, SignedIn};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::SignOut;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let store = Arc::new(world.store);
    let endpoint = DeleteSessions {
        signed_in: SignedIn {
            access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
            sessions: store.clone(),
            clock: world.clock.clone(),
        },
        sign_out: SignOut {
            sessions: store,
            wording: Arc::new(GotuEvents),
            clock: world.clock,
            entropy: world.entropy,
        },
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
