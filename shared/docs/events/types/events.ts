// Types of the events, written from the schemas in the folder above by
// `cargo run -p house-rules --bin xtask -- event-types`.

/** A device of a user can receive push messages for 90 days. Source goodcity.auth. */
export interface GoodcityDeviceRegistered {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  app: "app" | "admin" | "stock" | "browse";
  channel: string;
  deviceId: string;
  /** The registration id at the push service. */
  handle: string;
  /** The former user of the handle; null if there is no other one. */
  movedFrom: number | null;
  platform: "fcm" | "gcm" | "aps";
  registeredAt: string;
  userId: number;
}

/** A user signed up with GoodCity. The mobile is not verified yet; without verification the user is deleted after 24 hours. Source goodcity.auth. */
export interface GoodcityUserCreated {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  addressId: number | null;
  addressType: string | null;
  createdAt: string;
  districtId: number | null;
  mobile: string;
  mobileVerified: false;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: number;
}

/** A user of GoodCity deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source goodcity.auth. */
export interface GoodcityUserDeleted {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deletedAt: string;
  userId: number;
}

/** A user entered the pin that was sent to the mobile, and is signed in. Source goodcity.auth. */
export interface GoodcityUserVerified {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  /** Whether this pin verified the mobile for the first time. */
  firstTime: boolean;
  mobile: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: number;
  verifiedAt: string;
}

/** A user of Gotu set a new password. Source auth-service. */
export interface GotuAuthPasswordChanged {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  changedAt: string;
  userId: string;
}

/** A user of Gotu replaced the phone number by another one, or got the first one. The new number is verified. Source auth-service. */
export interface GotuAuthPhoneChanged {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  changedAt: string;
  phoneNumber: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A session of Gotu ended before its time; without deviceId, all sessions of the user. Source auth-service. */
export interface GotuAuthSessionRevoked {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1 | 2;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deviceId?: number;
  /** token_reused: a refresh token was presented after its successor was used, or long after its own use, so a copy of it exists. */
  reason: "signed_out" | "signed_out_everywhere" | "token_reused" | "password_reset" | "phone_changed";
  revokedAt: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A user signed up with Gotu. Source auth-service. The first event of its transaction. */
export interface GotuAuthUserCreated {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  createdAt: string;
  email?: string;
  /** An address is never verified at sign-up. */
  emailVerified: false;
  phoneNumber?: string;
  phoneVerified: boolean;
  referralID?: string;
  source?: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  type: "email" | "phone";
  userId: string;
  userType: "DNT" | "HYG" | null;
}

/** A user of Gotu deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source auth-service. */
export interface GotuAuthUserDeleted {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deletedAt: string;
  userId: string;
}

/** A user of Gotu signed in. Source auth-service. */
export interface GotuAuthUserSignedIn {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deviceId: number;
  /** The push token of the X-Device-Token header; null without the header. */
  deviceToken: string | null;
  method: "password" | "otp";
  platform?: "ios" | "android" | "web";
  signedInAt: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** The device of a new user of Gotu. Source auth-service. The second event of a sign-up; published without a push token too. */
export interface GotuNewDeviceToken {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 2;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deviceId: number;
  /** The push token of the X-Device-Token header; never a session's token. */
  deviceToken: string | null;
  platform?: "android" | "ios" | "web";
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** The mail server of the recipient returned a mail. Source latchkey. */
export interface LatchkeyMessageBounced {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. messageId and carrier tell which message it is about. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something. */
  blame: "open" | "recipient" | "account";
  carrier: "sns" | "end-user-messaging" | "mail";
  /** The cause in the words of the carrier. */
  cause: string | null;
  channel: "sms" | "email";
  /** The product whose user the message is for. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  /** The dial code as the price table has it, or other; null for a mail. */
  dialCode: string | null;
  /** The name of the text, such as gotu.sign_up. */
  message: string;
  /** The carrier's id of the message. */
  messageId: string;
  occurredAt: string;
  /** The correlationId of the events of the request that asked for the message. */
  requestCorrelationId: string;
}

/** The recipient marked a mail as spam. Source latchkey. */
export interface LatchkeyMessageComplained {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. messageId and carrier tell which message it is about. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something. */
  blame: "open" | "recipient" | "account";
  carrier: "sns" | "end-user-messaging" | "mail";
  /** The cause in the words of the carrier. */
  cause: string | null;
  channel: "sms" | "email";
  /** The product whose user the message is for. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  /** The dial code as the price table has it, or other; null for a mail. */
  dialCode: string | null;
  /** The name of the text, such as gotu.sign_up. */
  message: string;
  /** The carrier's id of the message. */
  messageId: string;
  occurredAt: string;
  /** The correlationId of the events of the request that asked for the message. */
  requestCorrelationId: string;
}

/** A message reached the phone network or the mail server of its recipient. Source latchkey. */
export interface LatchkeyMessageDelivered {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. messageId and carrier tell which message it is about. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  carrier: "sns" | "end-user-messaging" | "mail";
  channel: "sms" | "email";
  /** The product whose user the message is for. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  /** The dial code as the price table has it, or other; null for a mail. */
  dialCode: string | null;
  /** The name of the text, such as gotu.sign_up. */
  message: string;
  /** The carrier's id of the message. */
  messageId: string;
  occurredAt: string;
  /** The correlationId of the events of the request that asked for the message. */
  requestCorrelationId: string;
}

/** A message that its carrier had accepted was not delivered. Source latchkey. */
export interface LatchkeyMessageFailed {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. messageId and carrier tell which message it is about. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something. */
  blame: "open" | "recipient" | "account";
  carrier: "sns" | "end-user-messaging" | "mail";
  /** The cause in the words of the carrier. */
  cause: string | null;
  channel: "sms" | "email";
  /** The product whose user the message is for. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  /** The dial code as the price table has it, or other; null for a mail. */
  dialCode: string | null;
  /** The name of the text, such as gotu.sign_up. */
  message: string;
  /** The carrier's id of the message. */
  messageId: string;
  occurredAt: string;
  /** The correlationId of the events of the request that asked for the message. */
  requestCorrelationId: string;
}

/** A carrier accepted a message. Source latchkey. */
export interface LatchkeyMessageSent {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. messageId and carrier tell which message it is about. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  carrier: "sns" | "end-user-messaging" | "mail";
  channel: "sms" | "email";
  /** The product whose user the message is for. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  /** The dial code as the price table has it, or other; null for a mail. */
  dialCode: string | null;
  /** The name of the text, such as gotu.sign_up. */
  message: string;
  /** The carrier's id of the message. */
  messageId: string;
  occurredAt: string;
  /** The correlationId of the events of the request that asked for the message. */
  requestCorrelationId: string;
}

/** A code was asked for a test number. Nothing was sent, and the fixed code of the number works. Source latchkey. */
export interface LatchkeyTestNumberUsed {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** An id of this event alone. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The time until which the code of this request works. */
  codeExpiresAt: string;
  /** The product that the number is for. */
  contract: "gotu" | "goodcity" | "posbytz";
  /** The time until which the number has a fixed code. */
  numberExpiresAt: string;
  occurredAt: string;
  /** The test number. No person can have it. */
  phoneNumber: string;
  /** What the code is for. */
  purpose: "sign_up" | "sign_in" | "reset_password" | "change_phone" | "verify" | "delete_account";
  /** The correlationId of the events of the request that asked for the code. */
  requestCorrelationId: string;
}

/** An operator banned a user of any product. Every session is over, and the user can neither enter nor get codes. Source latchkey. */
export interface LatchkeyUserBanned {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. The event of the product, such as that of the deletion, comes before this one. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  /** The product of the user. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  occurredAt: string;
  /** The shop, in a product with shops. */
  store?: string;
  /** The id as a text, also where the product's own events have it as a number. */
  userId: string;
}

/** An operator erased a user of any product. Every session is over and the identifiers are free: erase what you keep about the user, also in your own archives. Source latchkey. */
export interface LatchkeyUserErased {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. The event of the product, such as that of the deletion, comes before this one. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  /** The product of the user. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  occurredAt: string;
  /** The shop, in a product with shops. */
  store?: string;
  /** The id as a text, also where the product's own events have it as a number. */
  userId: string;
}

/** An operator ended the ban of a user of any product. The user can enter again; the sessions of before stay over. Source latchkey. */
export interface LatchkeyUserUnbanned {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. The event of the product, such as that of the deletion, comes before this one. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  /** The product of the user. */
  contract: "gotu" | "goodcity" | "urbanfits" | "posbytz";
  occurredAt: string;
  /** The shop, in a product with shops. */
  store?: string;
  /** The id as a text, also where the product's own events have it as a number. */
  userId: string;
}

export interface PosbytzCustomerCreatedMobile {
  code: string;
  number: string;
}

/** A shop's server signed a customer up with PosBytz. Neither the address nor the mobile is verified yet. Source posbytz.ecommerce. The first event of its transaction. */
export interface PosbytzCustomerCreated {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  createdAt: string;
  /** In lower case. */
  email: string | null;
  emailVerified: false;
  mobile: PosbytzCustomerCreatedMobile | null;
  mobileVerified: false;
  store: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A customer of a PosBytz shop deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source posbytz.ecommerce. */
export interface PosbytzCustomerDeleted {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deletedAt: string;
  store: string;
  userId: string;
}

/** A customer followed the mailed link; the address is verified. Source posbytz.ecommerce. The only event of its transaction. */
export interface PosbytzCustomerEmailVerified {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  /** In lower case. */
  email: string;
  store: string;
  userId: string;
  verifiedAt: string;
}

/** A customer entered the code of the SMS; the mobile is verified. Source posbytz.ecommerce. */
export interface PosbytzCustomerMobileVerified {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  mobile: string;
  store: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
  verifiedAt: string;
}

/** A customer of a PosBytz shop set a new password with a code. Source posbytz.ecommerce. */
export interface PosbytzCustomerPasswordChanged {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  changedAt: string;
  store: string;
  userId: string;
}

/** A customer signed in, with a password or with the code that verified the mobile. Source posbytz.ecommerce. */
export interface PosbytzCustomerSignedIn {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1 | 2;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  method: "password" | "otp";
  signedInAt: string;
  store: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A message that verifies an address or a mobile is being sent to a customer: a link by e-mail, or a code by SMS. Published after customer.created, and alone when a message is sent again. One event for each channel. Source posbytz.ecommerce. */
export interface PosbytzCustomerVerificationRequested {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  channel: "email" | "mobile";
  /** The time at which the link or the code ends. */
  expiresAt: string;
  requestedAt: string;
  store: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A sign-up named a referral code or a known referrer. Source posbytz.ecommerce. The last event of its transaction. */
export interface PosbytzReferralRecorded {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  recordedAt: string;
  /** As the caller sent it. Latchkey does not check it. */
  referralCode: string | null;
  /** The id of a customer of the same store; null when there is no such customer. */
  referredBy: string | null;
  /** Whether the referrer is a customer of the store. */
  resolved: boolean;
  store: string;
  /** True if the phone number of the user is a test number, so the user is no person. Otherwise absent. */
  testNumber?: boolean;
  userId: string;
}

/** A session of UrbanFits, or all sessions of the user, ended before their time. Source urbanfits.auth. */
export interface UrbanfitsSessionRevoked {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: number;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  reason: "signed_out" | "signed_out_everywhere" | "password_reset";
  revokedAt: string;
  userId: string;
}

/** A user confirmed a sign-up with UrbanFits by entering the mailed code. Source urbanfits.auth. */
export interface UrbanfitsUserCreated {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  createdAt: string;
  email: string;
  emailVerified: true;
  phoneNumber: string;
  phonePrefix: string;
  /** A name of the IANA database. */
  timezone: string;
  /** The User-Agent header of the request that entered the code; empty without the header. */
  userAgent: string;
  userId: string;
  username: string;
}

/** A user of UrbanFits deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source urbanfits.auth. */
export interface UrbanfitsUserDeleted {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  deletedAt: string;
  userId: string;
}

/** A user of UrbanFits set a new password with a code. Source urbanfits.auth. */
export interface UrbanfitsUserPasswordChanged {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  changedAt: string;
  userId: string;
}

/** A user logged in to UrbanFits. Source urbanfits.auth. */
export interface UrbanfitsUserSignedIn {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 1;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  method: "password";
  signedInAt: string;
  userId: string;
}

/** A new user of UrbanFits got a wallet. Source urbanfits.auth. The second event of a sign-up. */
export interface UrbanfitsWalletOpened {
  schemaVersion: 1;
  /** The id of the event. A consumer drops an event whose id it has handled. */
  eventId: string;
  /** The same in all events of one transaction. */
  correlationId: string;
  /** The order within the transaction. */
  sequence: 2;
  /** The eventId of the event before it in the same transaction; absent in the first one. */
  causedBy?: string;
  /** Grows with each event about the user, in the order of the commits. It has gaps. */
  userVersion?: number;
  cardNumber: string;
  openedAt: string;
  points: 500;
  source: "signup";
  userId: string;
}

/** What the event bus delivers. */
export interface Envelope<Source extends string, Type extends string, Detail> {
  version: string;
  id: string;
  source: Source;
  "detail-type": Type;
  account: string;
  time: string;
  region: string;
  resources: string[];
  detail: Detail;
}

/** An event of goodcity. */
export type GoodcityEvent =
  | Envelope<"goodcity.auth", "device.registered", GoodcityDeviceRegistered>
  | Envelope<"goodcity.auth", "user.created", GoodcityUserCreated>
  | Envelope<"goodcity.auth", "user.deleted", GoodcityUserDeleted>
  | Envelope<"goodcity.auth", "user.verified", GoodcityUserVerified>;

/** An event of gotu. */
export type GotuEvent =
  | Envelope<"auth-service", "AUTH_PASSWORD_CHANGED", GotuAuthPasswordChanged>
  | Envelope<"auth-service", "AUTH_PHONE_CHANGED", GotuAuthPhoneChanged>
  | Envelope<"auth-service", "AUTH_SESSION_REVOKED", GotuAuthSessionRevoked>
  | Envelope<"auth-service", "AUTH_USER_CREATED", GotuAuthUserCreated>
  | Envelope<"auth-service", "AUTH_USER_DELETED", GotuAuthUserDeleted>
  | Envelope<"auth-service", "AUTH_USER_SIGNED_IN", GotuAuthUserSignedIn>
  | Envelope<"auth-service", "NEW_DEVICE_TOKEN", GotuNewDeviceToken>;

/** An event of latchkey. */
export type LatchkeyEvent =
  | Envelope<"latchkey", "MESSAGE_BOUNCED", LatchkeyMessageBounced>
  | Envelope<"latchkey", "MESSAGE_COMPLAINED", LatchkeyMessageComplained>
  | Envelope<"latchkey", "MESSAGE_DELIVERED", LatchkeyMessageDelivered>
  | Envelope<"latchkey", "MESSAGE_FAILED", LatchkeyMessageFailed>
  | Envelope<"latchkey", "MESSAGE_SENT", LatchkeyMessageSent>
  | Envelope<"latchkey", "TEST_NUMBER_USED", LatchkeyTestNumberUsed>
  | Envelope<"latchkey", "USER_BANNED", LatchkeyUserBanned>
  | Envelope<"latchkey", "USER_ERASED", LatchkeyUserErased>
  | Envelope<"latchkey", "USER_UNBANNED", LatchkeyUserUnbanned>;

/** An event of posbytz. */
export type PosbytzEvent =
  | Envelope<"posbytz.ecommerce", "customer.created", PosbytzCustomerCreated>
  | Envelope<"posbytz.ecommerce", "customer.deleted", PosbytzCustomerDeleted>
  | Envelope<"posbytz.ecommerce", "customer.email_verified", PosbytzCustomerEmailVerified>
  | Envelope<"posbytz.ecommerce", "customer.mobile_verified", PosbytzCustomerMobileVerified>
  | Envelope<"posbytz.ecommerce", "customer.password_changed", PosbytzCustomerPasswordChanged>
  | Envelope<"posbytz.ecommerce", "customer.signed_in", PosbytzCustomerSignedIn>
  | Envelope<"posbytz.ecommerce", "customer.verification_requested", PosbytzCustomerVerificationRequested>
  | Envelope<"posbytz.ecommerce", "referral.recorded", PosbytzReferralRecorded>;

/** An event of urbanfits. */
export type UrbanfitsEvent =
  | Envelope<"urbanfits.auth", "session.revoked", UrbanfitsSessionRevoked>
  | Envelope<"urbanfits.auth", "user.created", UrbanfitsUserCreated>
  | Envelope<"urbanfits.auth", "user.deleted", UrbanfitsUserDeleted>
  | Envelope<"urbanfits.auth", "user.password_changed", UrbanfitsUserPasswordChanged>
  | Envelope<"urbanfits.auth", "user.signed_in", UrbanfitsUserSignedIn>
  | Envelope<"urbanfits.auth", "wallet.opened", UrbanfitsWalletOpened>;

/** Any event. */
export type LatchkeyBusEvent = GoodcityEvent | GotuEvent | LatchkeyEvent | PosbytzEvent | UrbanfitsEvent;
