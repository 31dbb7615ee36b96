//! Composition root: the ports named here are all this endpoint may touch.

use gotu_patch_users_password::{PatchUsersPassword, handle};
use lambda_http::Error;
use latchkey::adapters::argon2::Argon2Passwords;
use latchkey::adapters::jwt::JwtAccessTokens;
use latchkey::adapters::key_ring::Contents;
use latchkey::contracts::gotu::{self, GotuEvents};
use latchkey::runtime::{TokenSettings, World, serve};
use latchkey::usecases::ResetPassword;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let world = World::from_env()?;
    let tokens = TokenSettings::of_contract(gotu::NAME)?;
    let token_keys = world.key_ring(&tokens.key, Contents::Keys)?;
    world.warm_up(&[&token_keys]).await;
    let passwords = Argon2Passwords::new(world.settings.argon2, world.entropy.clone())?;
    let reset = ResetPassword {
        users: Arc::new(world.store),
        passwords: Arc::new(passwords),
        wording: Arc::new(GotuEvents),
        clock: world.clock.clone(),
        entropy: world.entropy,
    };
    let endpoint = PatchUsersPassword {
        reset,
        access_tokens: Arc::new(JwtAccessTokens::new(token_keys)),
        clock: world.clock,
    };
    serve(env!("CARGO_PKG_NAME"), gotu::internal_error, |request| handle(&endpoint, request)).await
}
