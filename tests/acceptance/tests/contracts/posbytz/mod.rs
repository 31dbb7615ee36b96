//! PosBytz: one module for each endpoint.

mod create_client;
mod delete_user;
mod email_confirm;
mod email_verify;
mod oauth2_token;
mod otp_verify;
mod password_forgot;
mod password_reset;
mod resend;
mod signin;
mod signup;
