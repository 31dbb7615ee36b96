//! Gotu (contracts.md section 2).

mod fallback;
mod post_otp;
mod post_users;
