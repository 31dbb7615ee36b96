//! Composition root: the ports named here are all this endpoint may touch.

use lambda_http::Error;
use latchkey::adapters::code_keys::HmacCodeKeys;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::posbytz::{self, ClientsOnly, PosBytzEvents};
use latchkey::domain::challenge::GuessLimits;
use latchkey::domain::realm::Realm;
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::{CheckCode, VerifyRecipient};
use posbytz_otp_verify::{OtpVerify, handle};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(posbytz::NAME)?;
    let code_keys = world.key_ring(world.settings.code_key(), Contents::Keys)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&code_keys, &token_keys]).await;
    let store = Arc::new(world.store);
    // One source is a shop's server, for all its customers.
    let per_address_hour = world.settings.sends.per_client_hour;
    let check_code = CheckCode {
        challenges: store.clone(),
        budgets: store.clone(),
        code_keys: Arc::new(HmacCodeKeys::new(code_keys)),
        limits: GuessLimits { per_address_hour, ..world.settings.guesses },
        format: posbytz::CODE_FORMAT,
        // No handles here, so none of another name space.
        realm: Realm::of_contract(posbytz::NAME),
    };
    let verify = VerifyRecipient {
        check_code,
        users: store,
        wording: Arc::new(PosBytzEvents),
        clock: world.clock.clone(),
        entropy: world.entropy,
    };
    let access_tokens = Arc::new(JwtAccessTokens::new(token_keys));
    let endpoint = OtpVerify {
        clients_only: ClientsOnly { access_tokens: access_tokens.clone(), clock: world.clock },
        verify,
        access_tokens,
        access_life: tokens.life,
    };
    serve(env!("CARGO_PKG_NAME"), posbytz::internal_error, |request| handle(&endpoint, request))
        .await
}
