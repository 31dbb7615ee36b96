//! Composition root: the ports named here are all this endpoint may touch.

use goodcity_verify::{Verify, handle};
use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::goodcity::{self, GoodCityEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{CheckCode, VerifyCode};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(goodcity::NAME)?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    let store = Arc::new(world.store);
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store.clone(),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: world.settings.guesses,
        format: goodcity::CODE_FORMAT,
        realm: goodcity::realm(),
    };
    let verify_code = VerifyCode {
        check_code,
        users: store,
        wording: Arc::new(GoodCityEvents),
        clock: world.clock,
        entropy: world.entropy,
    };
    let endpoint = Verify {
        verify_code,
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        access_life: tokens.life,
        issuer: tokens.issuer,
    };
    serve(env!("CARGO_PKG_NAME"), goodcity::internal_error, |request| handle(&endpoint, request))
        .await
}
