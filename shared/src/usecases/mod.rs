//! The use cases: what callers can do.
//!
//! Each use case is a struct whose fields are the ports it uses and the settings of the contract.
//! Its method takes a command and returns a result or an error.

mod announce;
mod check_code;
mod deliver_effects;
mod grant_client_token;
mod manage_clients;
mod profile;
mod refresh;
mod register_device;
mod request_code;
mod reset_password;
mod rotate_keys;
mod sign_in;
mod sign_out;
mod sign_up;
mod sign_up_to_verify;
mod sign_up_two_step;
mod verify_code;
mod verify_link;
mod verify_recipient;

pub use check_code::{CheckCode, CheckCodeError, CheckedCode, Guess};
pub use deliver_effects::DeliverEffects;
pub use grant_client_token::{ClientGrant, GrantClientToken, GrantError};
pub use manage_clients::{ManageClients, ManageClientsError, NewCredentials};
pub use profile::{Callers, Profile, SessionOwner};
pub use refresh::{Refresh, RefreshError, Refreshed};
pub use register_device::{RegisterDevice, RegisterDeviceCommand};
pub use request_code::{
    CodeRequested, Delivery, Newcomer, RequestCode, RequestCodeCommand, RequestCodeError,
    SignUpUnverified,
};
pub use reset_password::{ProveRecipient, RecipientProof, ResetPassword, ResetPasswordError};
pub use rotate_keys::{KeyRotationReport, RotateKeys, RotateKeysError};
pub use sign_in::{
    Admission, OpenSessions, SignInByCode, SignInByPassword, SignInCommand, SignInError, SignedIn,
};
pub use sign_out::{SignOut, SignedToken};
pub use sign_up::{
    AccessGrant, OpenSession, SignUp, SignUpByCode, SignUpByPassword, SignUpCommand, SignUpError,
};
pub use sign_up_to_verify::{
    Referrer, SignUpToVerify, SignUpToVerifyCommand, SignUpToVerifyError, SignedUpToVerify,
};
pub use sign_up_two_step::{
    CompleteSignUp, CompleteSignUpError, StartSignUp, StartSignUpCommand, StartSignUpError,
    WalletPolicy,
};
pub use verify_code::{VerifiedAccount, VerifyCode};
pub use verify_link::{VerifyLink, VerifyLinkError};
pub use verify_recipient::VerifyRecipient;
