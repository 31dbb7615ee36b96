//! The use cases: what callers can do.
//!
//! Each use case is a struct whose fields are the ports it uses and the policies of the contract. Its
//! method takes a command and returns a result or a [`Failure`]. Whatever makes or uses an account
//! writes one [`Entry`](crate::ports::Entry).

mod basics;
mod breakers;
mod change_phone;
mod check_code;
mod check_password;
mod delete_account;
mod deliver_effects;
mod enter_by_code;
mod failure;
mod gate;
mod grant_client_token;
mod import_users;
mod manage_clients;
mod move_in;
mod new_ids;
mod note_effects;
mod open_session;
mod password_gate;
mod people;
mod profile;
mod publish_events;
mod read_history;
mod refresh;
mod register_device;
mod report_deliveries;
mod request_code;
mod resend_sign_up;
mod resend_to_unverified;
mod reset_by_code;
mod reset_password;
mod rotate_keys;
mod sent_messages;
mod sign_in_by_password;
mod sign_out;
mod sign_up_by_password;
mod start_sign_up;
mod test_codes;
mod user_line;
mod verification;
mod verify_link;
mod write_history;

pub use basics::Basics;
pub use breakers::Breakers;
pub use change_phone::{ChangePhone, ChangePhoneCommand, ChangePhoneRefused};
pub use check_code::{CheckCode, CodeRefused, Guess};
pub use check_password::{CheckPassword, PasswordRefused};
pub use delete_account::{DeleteAccount, DeleteByCode, DeleteByPassword, NotProved};
pub use deliver_effects::{DeliverEffects, SweepPart, Swept};
pub use enter_by_code::{EnterByCode, EnterByCodeCommand, EnterRefused, Presented};
pub use failure::{Failure, NoRefusal};
pub use gate::{Gate, Remembered, SourceLimits};
pub use grant_client_token::{ClientGrant, GrantClientToken, GrantRefused};
pub use import_users::{ImportMode, ImportReport, ImportUsers};
pub use manage_clients::{ChangeRefused, ManageClients, NewCredentials};
pub use move_in::{MoveIn, UnknownThere};
pub use new_ids::NewIds;
pub use open_session::{AccessGrant, Entered, OpenSession, OpenSessions};
pub use password_gate::PasswordGate;
pub use people::{
    Call, DeliveryFacts, ErasedPerson, Explanation, Finding, FoundPerson, ManagePeople, PersonName,
    PersonQuery, PersonRefused, Resent, SpentPart, histories,
};
pub use profile::{Admission, Callers, Profile, SessionOwner, UserIdentifiers, WalletPolicy};
pub use read_history::{HistoryEntry, ReadHistory};
pub use refresh::{Refresh, RefreshRefused, Refreshed, Renewal};
pub use register_device::{NoUser, RegisterDevice, RegisterDeviceCommand};
pub use report_deliveries::{ReportDeliveries, Reported};
pub use request_code::{
    CodeRequested, Delivery, Newcomer, RequestCode, RequestCodeCommand, SignUpUnverified, handle_of,
};
pub use resend_sign_up::{ResendRefused, ResendSignUp, ResendSignUpCommand};
pub use resend_to_unverified::{ResendCommand, ResendToUnverified};
pub use reset_by_code::{ResetByCode, ResetByCodeCommand};
pub use reset_password::{ProveRecipient, RecipientProof, ResetPassword, ResetProof, ResetRefused};
pub use rotate_keys::{KeyRotationReport, RotateKeys, RotateKeysError};
pub use sent_messages::SentMessages;
pub use sign_in_by_password::{SignInByPassword, SignInCommand, SignInRefused};
pub use sign_out::{SignOut, SignedToken};
pub use sign_up_by_password::{
    Referrer, ResendToKnown, SignUpByPassword, SignUpCommand, Taken, Unproved,
};
pub use start_sign_up::{StartSignUp, StartSignUpCommand, StartSignUpRefused};
pub use test_codes::TestCodes;
pub use user_line::{LineProblem, UserLine};
pub use verification::{ResendVerification, Verification};
pub use verify_link::{LinkRefused, VerifyLink};
pub use write_history::WriteHistory;
