//! Every function in one binary, for the local stack: one link instead of one for each function.
//! It is also a part of the local stack that needs no Rust, `tests/standalone`.
//!
//! The first argument names the function. The second one, if there is one, is a file with the number of
//! milliseconds that the clock of the local stack is ahead.
//!
//! `cargo xtask sync` writes this file from template.yaml.

use latchkey::adapters::system::SystemClock;
use latchkey::runtime::Error;

/// Makes a module of each file, and `run`, which calls the `main` of a module.
macro_rules! functions {
    ($($path:literal $module:ident,)*) => {
        $(#[path = $path] mod $module;)*

        fn run(module: &str) -> Result<(), Error> {
            $(if module == stringify!($module) {
                return $module::main();
            })*
            Err(format!("there is no function {module:?}").into())
        }
    };
}

functions! {
    "delivery_reports.rs" delivery_reports,
    "fallback.rs" fallback,
    "goodcity/current_user_profile.rs" goodcity_current_user_profile,
    "goodcity/delete_user.rs" goodcity_delete_user,
    "goodcity/register_device.rs" goodcity_register_device,
    "goodcity/send_pin.rs" goodcity_send_pin,
    "goodcity/signup.rs" goodcity_signup,
    "goodcity/verify.rs" goodcity_verify,
    "gotu/delete_sessions.rs" gotu_delete_sessions,
    "gotu/delete_users.rs" gotu_delete_users,
    "gotu/patch_users_password.rs" gotu_patch_users_password,
    "gotu/patch_users_phone.rs" gotu_patch_users_phone,
    "gotu/post_otp.rs" gotu_post_otp,
    "gotu/post_otp_verification.rs" gotu_post_otp_verification,
    "gotu/post_sessions.rs" gotu_post_sessions,
    "gotu/post_sessions_phone.rs" gotu_post_sessions_phone,
    "gotu/post_sessions_refresh.rs" gotu_post_sessions_refresh,
    "gotu/post_users.rs" gotu_post_users,
    "people.rs" people,
    "posbytz/create_client.rs" posbytz_create_client,
    "posbytz/delete_user.rs" posbytz_delete_user,
    "posbytz/email_confirm.rs" posbytz_email_confirm,
    "posbytz/email_verify.rs" posbytz_email_verify,
    "posbytz/oauth2_token.rs" posbytz_oauth2_token,
    "posbytz/otp_verify.rs" posbytz_otp_verify,
    "posbytz/password_forgot.rs" posbytz_password_forgot,
    "posbytz/password_reset.rs" posbytz_password_reset,
    "posbytz/resend.rs" posbytz_resend,
    "posbytz/signin.rs" posbytz_signin,
    "posbytz/signup.rs" posbytz_signup,
    "relay.rs" relay,
    "rotate_keys.rs" rotate_keys,
    "urbanfits/change_password.rs" urbanfits_change_password,
    "urbanfits/delete_me.rs" urbanfits_delete_me,
    "urbanfits/forgot_password.rs" urbanfits_forgot_password,
    "urbanfits/get_me.rs" urbanfits_get_me,
    "urbanfits/login.rs" urbanfits_login,
    "urbanfits/logout.rs" urbanfits_logout,
    "urbanfits/signup.rs" urbanfits_signup,
    "urbanfits/signup_callback.rs" urbanfits_signup_callback,
    "urbanfits/signup_resend.rs" urbanfits_signup_resend,
    "urbanfits/verify_otp_page.rs" urbanfits_verify_otp_page,
}

/// Returns how far the clock of the local stack is ahead now.
fn ahead() -> i64 {
    let text = std::env::args_os().nth(2).and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

pub(crate) fn main() -> Result<(), Error> {
    SystemClock::set_ahead(ahead);
    let name = std::env::args().nth(1).unwrap_or_default();
    run(&name.replace('-', "_"))
}
