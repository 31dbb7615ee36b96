//! Composition root: the ports named here are all this endpoint may touch.

use gotu_post_users::{PostUsers, handle};
use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::dynamodb::DynamoSequenceIds;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu::{self, GotuEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{CheckCode, SignUp, SignUpByCode, SignUpByPassword};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let settings = &world.settings;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let code_keys = world.key_ring(settings.code_key(), Contents::Keys)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    let store = Arc::new(world.store.clone());
    let sign_up = Arc::new(SignUp {
        registrations: store.clone(),
        ids: Arc::new(DynamoSequenceIds::new(world.store)),
        wording: Arc::new(GotuEvents),
        clock: world.clock,
        entropy: world.entropy.clone(),
    });
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store.clone(),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: settings.guesses,
        format: gotu::CODE_FORMAT,
        realm: gotu::realm(),
    };
    let by_password = SignUpByPassword {
        sign_up: sign_up.clone(),
        budgets: store.clone(),
        passwords: Arc::new(Argon2Passwords::new(settings.argon2, world.entropy)?),
        per_address_hour: settings.sends.per_address_hour,
    };
    let endpoint = PostUsers {
        by_code: SignUpByCode { sign_up, check_code },
        by_password,
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
