//! Types of the events, written from the schemas in the folder above by
//! `cargo run -p house-rules --bin xtask -- event-types`.

use serde::Deserialize;

/// A device of a user can receive push messages for 90 days. Source goodcity.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoodcityDeviceRegistered {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub app: GoodcityDeviceRegisteredApp,
    pub channel: String,
    #[serde(rename = "deviceId")]
    pub device_id: String,
    /// The registration id at the push service.
    pub handle: String,
    /// The former user of the handle; null if there is no other one.
    #[serde(rename = "movedFrom")]
    pub moved_from: Option<i64>,
    pub platform: GoodcityDeviceRegisteredPlatform,
    #[serde(rename = "registeredAt")]
    pub registered_at: String,
    #[serde(rename = "userId")]
    pub user_id: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GoodcityDeviceRegisteredApp {
    #[serde(rename = "app")]
    App,
    #[serde(rename = "admin")]
    Admin,
    #[serde(rename = "stock")]
    Stock,
    #[serde(rename = "browse")]
    Browse,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GoodcityDeviceRegisteredPlatform {
    #[serde(rename = "fcm")]
    Fcm,
    #[serde(rename = "gcm")]
    Gcm,
    #[serde(rename = "aps")]
    Aps,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A user signed up with GoodCity. The mobile is not verified yet; without verification the user is deleted after 24 hours. Source goodcity.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoodcityUserCreated {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "addressId")]
    pub address_id: Option<i64>,
    #[serde(rename = "addressType")]
    pub address_type: Option<String>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(rename = "districtId")]
    pub district_id: Option<i64>,
    pub mobile: String,
    #[serde(rename = "mobileVerified")]
    pub mobile_verified: bool,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: i64,
}

/// A user of GoodCity deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source goodcity.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoodcityUserDeleted {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deletedAt")]
    pub deleted_at: String,
    #[serde(rename = "userId")]
    pub user_id: i64,
}

/// A user entered the pin that was sent to the mobile, and is signed in. Source goodcity.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GoodcityUserVerified {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    /// Whether this pin verified the mobile for the first time.
    #[serde(rename = "firstTime")]
    pub first_time: bool,
    pub mobile: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: i64,
    #[serde(rename = "verifiedAt")]
    pub verified_at: String,
}

/// A user of Gotu set a new password. Source auth-service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthPasswordChanged {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "changedAt")]
    pub changed_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A user of Gotu replaced the phone number by another one, or got the first one. The new number is verified. Source auth-service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthPhoneChanged {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "changedAt")]
    pub changed_at: String,
    #[serde(rename = "phoneNumber")]
    pub phone_number: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A session of Gotu ended before its time; without deviceId, all sessions of the user. Source auth-service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthSessionRevoked {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deviceId")]
    pub device_id: Option<i64>,
    /// token_reused: a refresh token was presented after its successor was used, or long after its own use, so a copy of it exists.
    pub reason: GotuAuthSessionRevokedReason,
    #[serde(rename = "revokedAt")]
    pub revoked_at: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuAuthSessionRevokedReason {
    #[serde(rename = "signed_out")]
    SignedOut,
    #[serde(rename = "signed_out_everywhere")]
    SignedOutEverywhere,
    #[serde(rename = "token_reused")]
    TokenReused,
    #[serde(rename = "password_reset")]
    PasswordReset,
    #[serde(rename = "phone_changed")]
    PhoneChanged,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A user signed up with Gotu. Source auth-service. The first event of its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthUserCreated {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    pub email: Option<String>,
    /// An address is never verified at sign-up.
    #[serde(rename = "emailVerified")]
    pub email_verified: bool,
    #[serde(rename = "phoneNumber")]
    pub phone_number: Option<String>,
    #[serde(rename = "phoneVerified")]
    pub phone_verified: bool,
    #[serde(rename = "referralID")]
    pub referral_id: Option<String>,
    pub source: Option<String>,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    pub r#type: GotuAuthUserCreatedType,
    #[serde(rename = "userId")]
    pub user_id: String,
    #[serde(rename = "userType")]
    pub user_type: Option<GotuAuthUserCreatedUserType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuAuthUserCreatedType {
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "phone")]
    Phone,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuAuthUserCreatedUserType {
    #[serde(rename = "DNT")]
    Dnt,
    #[serde(rename = "HYG")]
    Hyg,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A user of Gotu deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source auth-service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthUserDeleted {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deletedAt")]
    pub deleted_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A user of Gotu signed in. Source auth-service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuAuthUserSignedIn {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deviceId")]
    pub device_id: i64,
    /// The push token of the X-Device-Token header; null without the header.
    #[serde(rename = "deviceToken")]
    pub device_token: Option<String>,
    pub method: GotuAuthUserSignedInMethod,
    pub platform: Option<GotuAuthUserSignedInPlatform>,
    #[serde(rename = "signedInAt")]
    pub signed_in_at: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuAuthUserSignedInMethod {
    #[serde(rename = "password")]
    Password,
    #[serde(rename = "otp")]
    Otp,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuAuthUserSignedInPlatform {
    #[serde(rename = "ios")]
    Ios,
    #[serde(rename = "android")]
    Android,
    #[serde(rename = "web")]
    Web,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// The device of a new user of Gotu. Source auth-service. The second event of a sign-up; published without a push token too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GotuNewDeviceToken {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deviceId")]
    pub device_id: i64,
    /// The push token of the X-Device-Token header; never a session's token.
    #[serde(rename = "deviceToken")]
    pub device_token: Option<String>,
    pub platform: Option<GotuNewDeviceTokenPlatform>,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum GotuNewDeviceTokenPlatform {
    #[serde(rename = "android")]
    Android,
    #[serde(rename = "ios")]
    Ios,
    #[serde(rename = "web")]
    Web,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// The mail server of the recipient returned a mail. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyMessageBounced {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone. messageId and carrier tell which message it is about.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    pub blame: LatchkeyMessageBouncedBlame,
    pub carrier: LatchkeyMessageBouncedCarrier,
    /// The cause in the words of the carrier.
    pub cause: Option<String>,
    pub channel: LatchkeyMessageBouncedChannel,
    /// The product whose user the message is for.
    pub contract: LatchkeyMessageBouncedContract,
    /// The dial code as the price table has it, or other; null for a mail.
    #[serde(rename = "dialCode")]
    pub dial_code: Option<String>,
    /// The name of the text, such as gotu.sign_up.
    pub message: String,
    /// The carrier's id of the message.
    #[serde(rename = "messageId")]
    pub message_id: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The correlationId of the events of the request that asked for the message.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageBouncedBlame {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "recipient")]
    Recipient,
    #[serde(rename = "account")]
    Account,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageBouncedCarrier {
    #[serde(rename = "sns")]
    Sns,
    #[serde(rename = "end-user-messaging")]
    EndUserMessaging,
    #[serde(rename = "mail")]
    Mail,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageBouncedChannel {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageBouncedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// The recipient marked a mail as spam. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyMessageComplained {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone. messageId and carrier tell which message it is about.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    pub blame: LatchkeyMessageComplainedBlame,
    pub carrier: LatchkeyMessageComplainedCarrier,
    /// The cause in the words of the carrier.
    pub cause: Option<String>,
    pub channel: LatchkeyMessageComplainedChannel,
    /// The product whose user the message is for.
    pub contract: LatchkeyMessageComplainedContract,
    /// The dial code as the price table has it, or other; null for a mail.
    #[serde(rename = "dialCode")]
    pub dial_code: Option<String>,
    /// The name of the text, such as gotu.sign_up.
    pub message: String,
    /// The carrier's id of the message.
    #[serde(rename = "messageId")]
    pub message_id: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The correlationId of the events of the request that asked for the message.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageComplainedBlame {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "recipient")]
    Recipient,
    #[serde(rename = "account")]
    Account,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageComplainedCarrier {
    #[serde(rename = "sns")]
    Sns,
    #[serde(rename = "end-user-messaging")]
    EndUserMessaging,
    #[serde(rename = "mail")]
    Mail,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageComplainedChannel {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageComplainedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A message reached the phone network or the mail server of its recipient. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyMessageDelivered {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone. messageId and carrier tell which message it is about.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    pub carrier: LatchkeyMessageDeliveredCarrier,
    pub channel: LatchkeyMessageDeliveredChannel,
    /// The product whose user the message is for.
    pub contract: LatchkeyMessageDeliveredContract,
    /// The dial code as the price table has it, or other; null for a mail.
    #[serde(rename = "dialCode")]
    pub dial_code: Option<String>,
    /// The name of the text, such as gotu.sign_up.
    pub message: String,
    /// The carrier's id of the message.
    #[serde(rename = "messageId")]
    pub message_id: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The correlationId of the events of the request that asked for the message.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageDeliveredCarrier {
    #[serde(rename = "sns")]
    Sns,
    #[serde(rename = "end-user-messaging")]
    EndUserMessaging,
    #[serde(rename = "mail")]
    Mail,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageDeliveredChannel {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageDeliveredContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A message that its carrier had accepted was not delivered. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyMessageFailed {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone. messageId and carrier tell which message it is about.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    pub blame: LatchkeyMessageFailedBlame,
    pub carrier: LatchkeyMessageFailedCarrier,
    /// The cause in the words of the carrier.
    pub cause: Option<String>,
    pub channel: LatchkeyMessageFailedChannel,
    /// The product whose user the message is for.
    pub contract: LatchkeyMessageFailedContract,
    /// The dial code as the price table has it, or other; null for a mail.
    #[serde(rename = "dialCode")]
    pub dial_code: Option<String>,
    /// The name of the text, such as gotu.sign_up.
    pub message: String,
    /// The carrier's id of the message.
    #[serde(rename = "messageId")]
    pub message_id: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The correlationId of the events of the request that asked for the message.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageFailedBlame {
    #[serde(rename = "open")]
    Open,
    #[serde(rename = "recipient")]
    Recipient,
    #[serde(rename = "account")]
    Account,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageFailedCarrier {
    #[serde(rename = "sns")]
    Sns,
    #[serde(rename = "end-user-messaging")]
    EndUserMessaging,
    #[serde(rename = "mail")]
    Mail,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageFailedChannel {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageFailedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A carrier accepted a message. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyMessageSent {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone. messageId and carrier tell which message it is about.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    pub carrier: LatchkeyMessageSentCarrier,
    pub channel: LatchkeyMessageSentChannel,
    /// The product whose user the message is for.
    pub contract: LatchkeyMessageSentContract,
    /// The dial code as the price table has it, or other; null for a mail.
    #[serde(rename = "dialCode")]
    pub dial_code: Option<String>,
    /// The name of the text, such as gotu.sign_up.
    pub message: String,
    /// The carrier's id of the message.
    #[serde(rename = "messageId")]
    pub message_id: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The correlationId of the events of the request that asked for the message.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageSentCarrier {
    #[serde(rename = "sns")]
    Sns,
    #[serde(rename = "end-user-messaging")]
    EndUserMessaging,
    #[serde(rename = "mail")]
    Mail,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageSentChannel {
    #[serde(rename = "sms")]
    Sms,
    #[serde(rename = "email")]
    Email,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyMessageSentContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A code was asked for a test number. Nothing was sent, and the fixed code of the number works. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyTestNumberUsed {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// An id of this event alone.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The time until which the code of this request works.
    #[serde(rename = "codeExpiresAt")]
    pub code_expires_at: String,
    /// The product that the number is for.
    pub contract: LatchkeyTestNumberUsedContract,
    /// The time until which the number has a fixed code.
    #[serde(rename = "numberExpiresAt")]
    pub number_expires_at: String,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The test number. No person can have it.
    #[serde(rename = "phoneNumber")]
    pub phone_number: String,
    /// What the code is for.
    pub purpose: LatchkeyTestNumberUsedPurpose,
    /// The correlationId of the events of the request that asked for the code.
    #[serde(rename = "requestCorrelationId")]
    pub request_correlation_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyTestNumberUsedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyTestNumberUsedPurpose {
    #[serde(rename = "sign_up")]
    SignUp,
    #[serde(rename = "sign_in")]
    SignIn,
    #[serde(rename = "reset_password")]
    ResetPassword,
    #[serde(rename = "change_phone")]
    ChangePhone,
    #[serde(rename = "verify")]
    Verify,
    #[serde(rename = "delete_account")]
    DeleteAccount,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// An operator banned a user of any product. Every session is over, and the user can neither enter nor get codes. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyUserBanned {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    /// The product of the user.
    pub contract: LatchkeyUserBannedContract,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The shop, in a product with shops.
    pub store: Option<String>,
    /// The id as a text, also where the product's own events have it as a number.
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyUserBannedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// An operator erased a user of any product. Every session is over and the identifiers are free: erase what you keep about the user, also in your own archives. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyUserErased {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    /// The product of the user.
    pub contract: LatchkeyUserErasedContract,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The shop, in a product with shops.
    pub store: Option<String>,
    /// The id as a text, also where the product's own events have it as a number.
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyUserErasedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// An operator ended the ban of a user of any product. The user can enter again; the sessions of before stay over. Source latchkey.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LatchkeyUserUnbanned {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    /// The product of the user.
    pub contract: LatchkeyUserUnbannedContract,
    #[serde(rename = "occurredAt")]
    pub occurred_at: String,
    /// The shop, in a product with shops.
    pub store: Option<String>,
    /// The id as a text, also where the product's own events have it as a number.
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum LatchkeyUserUnbannedContract {
    #[serde(rename = "gotu")]
    Gotu,
    #[serde(rename = "goodcity")]
    Goodcity,
    #[serde(rename = "urbanfits")]
    Urbanfits,
    #[serde(rename = "posbytz")]
    Posbytz,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerCreatedMobile {
    pub code: String,
    pub number: String,
}

/// A shop's server signed a customer up with PosBytz. Neither the address nor the mobile is verified yet. Source posbytz.ecommerce. The first event of its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerCreated {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    /// In lower case.
    pub email: Option<String>,
    #[serde(rename = "emailVerified")]
    pub email_verified: bool,
    pub mobile: Option<PosbytzCustomerCreatedMobile>,
    #[serde(rename = "mobileVerified")]
    pub mobile_verified: bool,
    pub store: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A customer of a PosBytz shop deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source posbytz.ecommerce.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerDeleted {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deletedAt")]
    pub deleted_at: String,
    pub store: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A customer followed the mailed link; the address is verified. Source posbytz.ecommerce. The only event of its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerEmailVerified {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    /// In lower case.
    pub email: String,
    pub store: String,
    #[serde(rename = "userId")]
    pub user_id: String,
    #[serde(rename = "verifiedAt")]
    pub verified_at: String,
}

/// A customer entered the code of the SMS; the mobile is verified. Source posbytz.ecommerce.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerMobileVerified {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub mobile: String,
    pub store: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
    #[serde(rename = "verifiedAt")]
    pub verified_at: String,
}

/// A customer of a PosBytz shop set a new password with a code. Source posbytz.ecommerce.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerPasswordChanged {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "changedAt")]
    pub changed_at: String,
    pub store: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A customer signed in, with a password or with the code that verified the mobile. Source posbytz.ecommerce.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerSignedIn {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub method: PosbytzCustomerSignedInMethod,
    #[serde(rename = "signedInAt")]
    pub signed_in_at: String,
    pub store: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum PosbytzCustomerSignedInMethod {
    #[serde(rename = "password")]
    Password,
    #[serde(rename = "otp")]
    Otp,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A message that verifies an address or a mobile is being sent to a customer: a link by e-mail, or a code by SMS. Published after customer.created, and alone when a message is sent again. One event for each channel. Source posbytz.ecommerce.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzCustomerVerificationRequested {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub channel: PosbytzCustomerVerificationRequestedChannel,
    /// The time at which the link or the code ends.
    #[serde(rename = "expiresAt")]
    pub expires_at: String,
    #[serde(rename = "requestedAt")]
    pub requested_at: String,
    pub store: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum PosbytzCustomerVerificationRequestedChannel {
    #[serde(rename = "email")]
    Email,
    #[serde(rename = "mobile")]
    Mobile,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A sign-up named a referral code or a known referrer. Source posbytz.ecommerce. The last event of its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PosbytzReferralRecorded {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "recordedAt")]
    pub recorded_at: String,
    /// As the caller sent it. Latchkey does not check it.
    #[serde(rename = "referralCode")]
    pub referral_code: Option<String>,
    /// The id of a customer of the same store; null when there is no such customer.
    #[serde(rename = "referredBy")]
    pub referred_by: Option<String>,
    /// Whether the referrer is a customer of the store.
    pub resolved: bool,
    pub store: String,
    /// True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    #[serde(rename = "testNumber")]
    pub test_number: Option<bool>,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A session of UrbanFits, or all sessions of the user, ended before their time. Source urbanfits.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsSessionRevoked {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub reason: UrbanfitsSessionRevokedReason,
    #[serde(rename = "revokedAt")]
    pub revoked_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum UrbanfitsSessionRevokedReason {
    #[serde(rename = "signed_out")]
    SignedOut,
    #[serde(rename = "signed_out_everywhere")]
    SignedOutEverywhere,
    #[serde(rename = "password_reset")]
    PasswordReset,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A user confirmed a sign-up with UrbanFits by entering the mailed code. Source urbanfits.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsUserCreated {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    pub email: String,
    #[serde(rename = "emailVerified")]
    pub email_verified: bool,
    #[serde(rename = "phoneNumber")]
    pub phone_number: String,
    #[serde(rename = "phonePrefix")]
    pub phone_prefix: String,
    /// A name of the IANA database.
    pub timezone: String,
    /// The User-Agent header of the request that entered the code; empty without the header.
    #[serde(rename = "userAgent")]
    pub user_agent: String,
    #[serde(rename = "userId")]
    pub user_id: String,
    pub username: String,
}

/// A user of UrbanFits deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source urbanfits.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsUserDeleted {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "deletedAt")]
    pub deleted_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A user of UrbanFits set a new password with a code. Source urbanfits.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsUserPasswordChanged {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "changedAt")]
    pub changed_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

/// A user logged in to UrbanFits. Source urbanfits.auth.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsUserSignedIn {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    pub method: UrbanfitsUserSignedInMethod,
    #[serde(rename = "signedInAt")]
    pub signed_in_at: String,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum UrbanfitsUserSignedInMethod {
    #[serde(rename = "password")]
    Password,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// A new user of UrbanFits got a wallet. Source urbanfits.auth. The second event of a sign-up.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UrbanfitsWalletOpened {
    #[serde(rename = "schemaVersion")]
    pub schema_version: i64,
    /// The id of the event. A consumer drops an event whose id it has handled.
    #[serde(rename = "eventId")]
    pub event_id: String,
    /// The same in all events of one transaction.
    #[serde(rename = "correlationId")]
    pub correlation_id: String,
    /// The order within the transaction.
    pub sequence: i64,
    /// The eventId of the event before it in the same transaction; absent in the first one.
    #[serde(rename = "causedBy")]
    pub caused_by: Option<String>,
    /// Grows with each event about the user, in the order of the commits. It has gaps.
    #[serde(rename = "userVersion")]
    pub user_version: Option<i64>,
    #[serde(rename = "cardNumber")]
    pub card_number: String,
    #[serde(rename = "openedAt")]
    pub opened_at: String,
    pub points: i64,
    pub source: UrbanfitsWalletOpenedSource,
    #[serde(rename = "userId")]
    pub user_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum UrbanfitsWalletOpenedSource {
    #[serde(rename = "signup")]
    Signup,
    /// A value that a later version added.
    #[serde(other)]
    Other,
}

/// An event of goodcity, as the event bus delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum GoodcityEvent {
    #[serde(rename = "device.registered")]
    DeviceRegistered(GoodcityDeviceRegistered),
    #[serde(rename = "user.created")]
    UserCreated(GoodcityUserCreated),
    #[serde(rename = "user.deleted")]
    UserDeleted(GoodcityUserDeleted),
    #[serde(rename = "user.verified")]
    UserVerified(GoodcityUserVerified),
}

/// An event of gotu, as the event bus delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum GotuEvent {
    #[serde(rename = "AUTH_PASSWORD_CHANGED")]
    AuthPasswordChanged(GotuAuthPasswordChanged),
    #[serde(rename = "AUTH_PHONE_CHANGED")]
    AuthPhoneChanged(GotuAuthPhoneChanged),
    #[serde(rename = "AUTH_SESSION_REVOKED")]
    AuthSessionRevoked(GotuAuthSessionRevoked),
    #[serde(rename = "AUTH_USER_CREATED")]
    AuthUserCreated(GotuAuthUserCreated),
    #[serde(rename = "AUTH_USER_DELETED")]
    AuthUserDeleted(GotuAuthUserDeleted),
    #[serde(rename = "AUTH_USER_SIGNED_IN")]
    AuthUserSignedIn(GotuAuthUserSignedIn),
    #[serde(rename = "NEW_DEVICE_TOKEN")]
    NewDeviceToken(GotuNewDeviceToken),
}

/// An event of latchkey, as the event bus delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum LatchkeyEvent {
    #[serde(rename = "MESSAGE_BOUNCED")]
    MessageBounced(LatchkeyMessageBounced),
    #[serde(rename = "MESSAGE_COMPLAINED")]
    MessageComplained(LatchkeyMessageComplained),
    #[serde(rename = "MESSAGE_DELIVERED")]
    MessageDelivered(LatchkeyMessageDelivered),
    #[serde(rename = "MESSAGE_FAILED")]
    MessageFailed(LatchkeyMessageFailed),
    #[serde(rename = "MESSAGE_SENT")]
    MessageSent(LatchkeyMessageSent),
    #[serde(rename = "TEST_NUMBER_USED")]
    TestNumberUsed(LatchkeyTestNumberUsed),
    #[serde(rename = "USER_BANNED")]
    UserBanned(LatchkeyUserBanned),
    #[serde(rename = "USER_ERASED")]
    UserErased(LatchkeyUserErased),
    #[serde(rename = "USER_UNBANNED")]
    UserUnbanned(LatchkeyUserUnbanned),
}

/// An event of posbytz, as the event bus delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum PosbytzEvent {
    #[serde(rename = "customer.created")]
    CustomerCreated(PosbytzCustomerCreated),
    #[serde(rename = "customer.deleted")]
    CustomerDeleted(PosbytzCustomerDeleted),
    #[serde(rename = "customer.email_verified")]
    CustomerEmailVerified(PosbytzCustomerEmailVerified),
    #[serde(rename = "customer.mobile_verified")]
    CustomerMobileVerified(PosbytzCustomerMobileVerified),
    #[serde(rename = "customer.password_changed")]
    CustomerPasswordChanged(PosbytzCustomerPasswordChanged),
    #[serde(rename = "customer.signed_in")]
    CustomerSignedIn(PosbytzCustomerSignedIn),
    #[serde(rename = "customer.verification_requested")]
    CustomerVerificationRequested(PosbytzCustomerVerificationRequested),
    #[serde(rename = "referral.recorded")]
    ReferralRecorded(PosbytzReferralRecorded),
}

/// An event of urbanfits, as the event bus delivers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum UrbanfitsEvent {
    #[serde(rename = "session.revoked")]
    SessionRevoked(UrbanfitsSessionRevoked),
    #[serde(rename = "user.created")]
    UserCreated(UrbanfitsUserCreated),
    #[serde(rename = "user.deleted")]
    UserDeleted(UrbanfitsUserDeleted),
    #[serde(rename = "user.password_changed")]
    UserPasswordChanged(UrbanfitsUserPasswordChanged),
    #[serde(rename = "user.signed_in")]
    UserSignedIn(UrbanfitsUserSignedIn),
    #[serde(rename = "wallet.opened")]
    WalletOpened(UrbanfitsWalletOpened),
}
