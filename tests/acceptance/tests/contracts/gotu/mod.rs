//! Gotu: one module for each endpoint.

mod delete_sessions;
mod delete_users;
mod fallback;
mod patch_users_password;
mod patch_users_phone;
mod post_otp;
mod post_otp_verification;
mod post_sessions;
mod post_sessions_phone;
mod post_sessions_refresh;
mod post_users;
