//! GoodCity: one module for each endpoint.

mod current_user_profile;
mod register_device;
mod send_pin;
mod signup;
mod verify;
