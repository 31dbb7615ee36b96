//! Composition root: the ports named here are all this endpoint may touch.

use gotu_post_otp_verification::{PostOtpVerification, handle};
use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu;
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{CheckCode, ProveRecipient};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    let store = Arc::new(world.store);
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store.clone(),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: world.settings.guesses,
        format: gotu::CODE_FORMAT,
        realm: gotu::realm(),
    };
    let prove =
        ProveRecipient { check_code, challenges: store.clone(), users: store, clock: world.clock };
    let access_tokens = Arc::new(JwtAccessTokens::new(token_keys));
    let endpoint = PostOtpVerification { prove, access_tokens };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
