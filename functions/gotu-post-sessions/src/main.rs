//! Composition root: the ports named here are all this endpoint may touch.

use gotu_post_sessions::{PostSessions, handle};
use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::dynamodb::DynamoSequenceIds;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu::{self, GotuEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{OpenSessions, SignInByPassword};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let store = Arc::new(world.store.clone());
    let open = OpenSessions {
        sessions: store.clone(),
        users: store.clone(),
        devices: Some(Arc::new(DynamoSequenceIds::new(world.store))),
        stated: &gotu::STATED,
        wording: Arc::new(GotuEvents),
        clock: world.clock,
        entropy: world.entropy.clone(),
    };
    let sign_in = SignInByPassword {
        open,
        passwords: Arc::new(Argon2Passwords::new(world.settings.argon2, world.entropy)?),
        budgets: store,
        slow_down: world.settings.slow_down(),
        per_address_hour: world.settings.guesses.per_address_hour,
        // Gotu lets people in whose address is not proved.
        only_verified: false,
    };
    let endpoint = PostSessions {
        sign_in,
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
