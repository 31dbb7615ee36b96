//! What a caller can do. Ports, clock and entropy come in; a command goes in, an outcome or an
//! error comes out.

mod check_code;
mod deliver_effects;
mod request_code;
mod sign_up;

pub use check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
pub use deliver_effects::DeliverEffects;
pub use request_code::{RequestCode, RequestCodeCommand, RequestCodeError, SendPolicy};
pub use sign_up::{
    AccessGrant, Applicant, SignUp, SignUpByCode, SignUpByPassword, SignUpError, SignedUp,
};
