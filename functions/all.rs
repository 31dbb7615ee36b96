//! Every function in one binary, for the local stack: one link instead of one for each function.
//!
//! The first argument names the function. `cargo xtask sync` writes this file from template.yaml.

use latchkey::runtime::Error;

#[path = "fallback.rs"]
mod fallback;
#[path = "goodcity/current_user_profile.rs"]
mod goodcity_current_user_profile;
#[path = "goodcity/register_device.rs"]
mod goodcity_register_device;
#[path = "goodcity/send_pin.rs"]
mod goodcity_send_pin;
#[path = "goodcity/signup.rs"]
mod goodcity_signup;
#[path = "goodcity/verify.rs"]
mod goodcity_verify;
#[path = "gotu/delete_sessions.rs"]
mod gotu_delete_sessions;
#[path = "gotu/patch_users_password.rs"]
mod gotu_patch_users_password;
#[path = "gotu/post_otp.rs"]
mod gotu_post_otp;
#[path = "gotu/post_otp_verification.rs"]
mod gotu_post_otp_verification;
#[path = "gotu/post_sessions.rs"]
mod gotu_post_sessions;
#[path = "gotu/post_sessions_phone.rs"]
mod gotu_post_sessions_phone;
#[path = "gotu/post_sessions_refresh.rs"]
mod gotu_post_sessions_refresh;
#[path = "gotu/post_users.rs"]
mod gotu_post_users;
#[path = "posbytz/create_client.rs"]
mod posbytz_create_client;
#[path = "posbytz/email_verify.rs"]
mod posbytz_email_verify;
#[path = "posbytz/oauth2_token.rs"]
mod posbytz_oauth2_token;
#[path = "posbytz/otp_verify.rs"]
mod posbytz_otp_verify;
#[path = "posbytz/signin.rs"]
mod posbytz_signin;
#[path = "posbytz/signup.rs"]
mod posbytz_signup;
#[path = "relay.rs"]
mod relay;
#[path = "rotate_keys.rs"]
mod rotate_keys;
#[path = "urbanfits/get_me.rs"]
mod urbanfits_get_me;
#[path = "urbanfits/login.rs"]
mod urbanfits_login;
#[path = "urbanfits/logout.rs"]
mod urbanfits_logout;
#[path = "urbanfits/signup.rs"]
mod urbanfits_signup;
#[path = "urbanfits/signup_callback.rs"]
mod urbanfits_signup_callback;
#[path = "urbanfits/verify_otp_page.rs"]
mod urbanfits_verify_otp_page;

fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "gotu-post-otp" => gotu_post_otp::main(),
        "gotu-post-users" => gotu_post_users::main(),
        "gotu-post-sessions" => gotu_post_sessions::main(),
        "gotu-post-sessions-phone" => gotu_post_sessions_phone::main(),
        "gotu-post-sessions-refresh" => gotu_post_sessions_refresh::main(),
        "gotu-delete-sessions" => gotu_delete_sessions::main(),
        "gotu-post-otp-verification" => gotu_post_otp_verification::main(),
        "gotu-patch-users-password" => gotu_patch_users_password::main(),
        "goodcity-send-pin" => goodcity_send_pin::main(),
        "goodcity-signup" => goodcity_signup::main(),
        "goodcity-verify" => goodcity_verify::main(),
        "goodcity-current-user-profile" => goodcity_current_user_profile::main(),
        "goodcity-register-device" => goodcity_register_device::main(),
        "urbanfits-signup" => urbanfits_signup::main(),
        "urbanfits-signup-callback" => urbanfits_signup_callback::main(),
        "urbanfits-login" => urbanfits_login::main(),
        "urbanfits-logout" => urbanfits_logout::main(),
        "urbanfits-get-me" => urbanfits_get_me::main(),
        "urbanfits-verify-otp-page" => urbanfits_verify_otp_page::main(),
        "posbytz-oauth2-token" => posbytz_oauth2_token::main(),
        "posbytz-signup" => posbytz_signup::main(),
        "posbytz-signin" => posbytz_signin::main(),
        "posbytz-otp-verify" => posbytz_otp_verify::main(),
        "posbytz-email-verify" => posbytz_email_verify::main(),
        "posbytz-create-client" => posbytz_create_client::main(),
        "fallback" => fallback::main(),
        "relay" => relay::main(),
        "rotate-keys" => rotate_keys::main(),
        _ => Err(format!("no function is called {name:?}").into()),
    }
}
