//! UrbanFits: one module for each endpoint.

mod change_password;
mod delete_me;
mod forgot_password;
mod get_me;
mod login;
mod logout;
mod signup;
mod signup_callback;
mod signup_resend;
mod verify_otp_page;
