//! Composition root: the ports named here are all this endpoint may touch.

use gotu_post_sessions_phone::{PostSessionsPhone, handle};
use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::dynamodb::DynamoSequenceIds;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu::{self, GotuEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{CheckCode, OpenSessions, SignInByCode};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    let store = Arc::new(world.store.clone());
    let open = OpenSessions {
        sessions: store.clone(),
        users: store.clone(),
        devices: Some(Arc::new(DynamoSequenceIds::new(world.store))),
        stated: &gotu::STATED,
        wording: Arc::new(GotuEvents),
        clock: world.clock,
        entropy: world.entropy,
    };
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store,
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: world.settings.guesses,
        format: gotu::CODE_FORMAT,
        realm: gotu::realm(),
    };
    let endpoint = PostSessionsPhone {
        sign_in: SignInByCode { open, check_code },
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
