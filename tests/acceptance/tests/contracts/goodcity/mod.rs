//! GoodCity: one module for each endpoint.

mod current_user_profile;
mod delete_user;
mod register_device;
mod send_pin;
mod signup;
mod verify;
