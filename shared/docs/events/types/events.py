"""Types of the events, written from the schemas in the folder above by
`cargo run -p house-rules --bin xtask -- event-types`.
"""

from typing import Literal, NotRequired, TypedDict, Union


class GoodcityDeviceRegistered(TypedDict):
    """A device of a user can receive push messages for 90 days. Source goodcity.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    app: Literal["app", "admin", "stock", "browse"]
    channel: str
    deviceId: str
    # The registration id at the push service.
    handle: str
    # The former user of the handle; null if there is no other one.
    movedFrom: int | None
    platform: Literal["fcm", "gcm", "aps"]
    registeredAt: str
    userId: int


class GoodcityUserCreated(TypedDict):
    """A user signed up with GoodCity. The mobile is not verified yet; without verification the user is deleted after 24 hours. Source goodcity.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    addressId: int | None
    addressType: str | None
    createdAt: str
    districtId: int | None
    mobile: str
    mobileVerified: Literal[False]
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: int


class GoodcityUserDeleted(TypedDict):
    """A user of GoodCity deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source goodcity.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deletedAt: str
    userId: int


class GoodcityUserVerified(TypedDict):
    """A user entered the pin that was sent to the mobile, and is signed in. Source goodcity.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    # Whether this pin verified the mobile for the first time.
    firstTime: bool
    mobile: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: int
    verifiedAt: str


class GotuAuthPasswordChanged(TypedDict):
    """A user of Gotu set a new password. Source auth-service."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    changedAt: str
    userId: str


class GotuAuthPhoneChanged(TypedDict):
    """A user of Gotu replaced the phone number by another one, or got the first one. The new number is verified. Source auth-service."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    changedAt: str
    phoneNumber: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class GotuAuthSessionRevoked(TypedDict):
    """A session of Gotu ended before its time; without deviceId, all sessions of the user. Source auth-service."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1, 2]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deviceId: NotRequired[int]
    # token_reused: a refresh token was presented after its successor was used, or long after its own use, so a copy of it exists.
    reason: Literal["signed_out", "signed_out_everywhere", "token_reused", "password_reset", "phone_changed"]
    revokedAt: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class GotuAuthUserCreated(TypedDict):
    """A user signed up with Gotu. Source auth-service. The first event of its transaction."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    createdAt: str
    email: NotRequired[str]
    # An address is never verified at sign-up.
    emailVerified: Literal[False]
    phoneNumber: NotRequired[str]
    phoneVerified: bool
    referralID: NotRequired[str]
    source: NotRequired[str]
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    type: Literal["email", "phone"]
    userId: str
    userType: Literal["DNT", "HYG"] | None


class GotuAuthUserDeleted(TypedDict):
    """A user of Gotu deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source auth-service."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deletedAt: str
    userId: str


class GotuAuthUserSignedIn(TypedDict):
    """A user of Gotu signed in. Source auth-service."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deviceId: int
    # The push token of the X-Device-Token header; null without the header.
    deviceToken: str | None
    method: Literal["password", "otp"]
    platform: NotRequired[Literal["ios", "android", "web"]]
    signedInAt: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class GotuNewDeviceToken(TypedDict):
    """The device of a new user of Gotu. Source auth-service. The second event of a sign-up; published without a push token too."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[2]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deviceId: int
    # The push token of the X-Device-Token header; never a session's token.
    deviceToken: str | None
    platform: NotRequired[Literal["android", "ios", "web"]]
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class LatchkeyMessageBounced(TypedDict):
    """The mail server of the recipient returned a mail. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone. messageId and carrier tell which message it is about.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    blame: Literal["open", "recipient", "account"]
    carrier: Literal["sns", "end-user-messaging", "mail"]
    # The cause in the words of the carrier.
    cause: str | None
    channel: Literal["sms", "email"]
    # The product whose user the message is for.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    # The dial code as the price table has it, or other; null for a mail.
    dialCode: str | None
    # The name of the text, such as gotu.sign_up.
    message: str
    # The carrier's id of the message.
    messageId: str
    occurredAt: str
    # The correlationId of the events of the request that asked for the message.
    requestCorrelationId: str


class LatchkeyMessageComplained(TypedDict):
    """The recipient marked a mail as spam. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone. messageId and carrier tell which message it is about.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    blame: Literal["open", "recipient", "account"]
    carrier: Literal["sns", "end-user-messaging", "mail"]
    # The cause in the words of the carrier.
    cause: str | None
    channel: Literal["sms", "email"]
    # The product whose user the message is for.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    # The dial code as the price table has it, or other; null for a mail.
    dialCode: str | None
    # The name of the text, such as gotu.sign_up.
    message: str
    # The carrier's id of the message.
    messageId: str
    occurredAt: str
    # The correlationId of the events of the request that asked for the message.
    requestCorrelationId: str


class LatchkeyMessageDelivered(TypedDict):
    """A message reached the phone network or the mail server of its recipient. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone. messageId and carrier tell which message it is about.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    carrier: Literal["sns", "end-user-messaging", "mail"]
    channel: Literal["sms", "email"]
    # The product whose user the message is for.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    # The dial code as the price table has it, or other; null for a mail.
    dialCode: str | None
    # The name of the text, such as gotu.sign_up.
    message: str
    # The carrier's id of the message.
    messageId: str
    occurredAt: str
    # The correlationId of the events of the request that asked for the message.
    requestCorrelationId: str


class LatchkeyMessageFailed(TypedDict):
    """A message that its carrier had accepted was not delivered. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone. messageId and carrier tell which message it is about.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # Whose matter it is. open: the next message may arrive. recipient: no message is sent to this recipient for a while. account: an operator must change something.
    blame: Literal["open", "recipient", "account"]
    carrier: Literal["sns", "end-user-messaging", "mail"]
    # The cause in the words of the carrier.
    cause: str | None
    channel: Literal["sms", "email"]
    # The product whose user the message is for.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    # The dial code as the price table has it, or other; null for a mail.
    dialCode: str | None
    # The name of the text, such as gotu.sign_up.
    message: str
    # The carrier's id of the message.
    messageId: str
    occurredAt: str
    # The correlationId of the events of the request that asked for the message.
    requestCorrelationId: str


class LatchkeyMessageSent(TypedDict):
    """A carrier accepted a message. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone. messageId and carrier tell which message it is about.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    carrier: Literal["sns", "end-user-messaging", "mail"]
    channel: Literal["sms", "email"]
    # The product whose user the message is for.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    # The dial code as the price table has it, or other; null for a mail.
    dialCode: str | None
    # The name of the text, such as gotu.sign_up.
    message: str
    # The carrier's id of the message.
    messageId: str
    occurredAt: str
    # The correlationId of the events of the request that asked for the message.
    requestCorrelationId: str


class LatchkeyTestNumberUsed(TypedDict):
    """A code was asked for a test number. Nothing was sent, and the fixed code of the number works. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # An id of this event alone.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The time until which the code of this request works.
    codeExpiresAt: str
    # The product that the number is for.
    contract: Literal["gotu", "goodcity", "posbytz"]
    # The time until which the number has a fixed code.
    numberExpiresAt: str
    occurredAt: str
    # The test number. No person can have it.
    phoneNumber: str
    # What the code is for.
    purpose: Literal["sign_up", "sign_in", "reset_password", "change_phone", "verify", "delete_account"]
    # The correlationId of the events of the request that asked for the code.
    requestCorrelationId: str


class LatchkeyUserBanned(TypedDict):
    """An operator banned a user of any product. Every session is over, and the user can neither enter nor get codes. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    # The product of the user.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    occurredAt: str
    # The shop, in a product with shops.
    store: NotRequired[str]
    # The id as a text, also where the product's own events have it as a number.
    userId: str


class LatchkeyUserErased(TypedDict):
    """An operator erased a user of any product. Every session is over and the identifiers are free: erase what you keep about the user, also in your own archives. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    # The product of the user.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    occurredAt: str
    # The shop, in a product with shops.
    store: NotRequired[str]
    # The id as a text, also where the product's own events have it as a number.
    userId: str


class LatchkeyUserUnbanned(TypedDict):
    """An operator ended the ban of a user of any product. The user can enter again; the sessions of before stay over. Source latchkey."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction. The event of the product, such as that of the deletion, comes before this one.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    # The product of the user.
    contract: Literal["gotu", "goodcity", "urbanfits", "posbytz"]
    occurredAt: str
    # The shop, in a product with shops.
    store: NotRequired[str]
    # The id as a text, also where the product's own events have it as a number.
    userId: str


class PosbytzCustomerCreatedMobile(TypedDict):
    code: str
    number: str


class PosbytzCustomerCreated(TypedDict):
    """A shop's server signed a customer up with PosBytz. Neither the address nor the mobile is verified yet. Source posbytz.ecommerce. The first event of its transaction."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    createdAt: str
    # In lower case.
    email: str | None
    emailVerified: Literal[False]
    mobile: PosbytzCustomerCreatedMobile | None
    mobileVerified: Literal[False]
    store: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class PosbytzCustomerDeleted(TypedDict):
    """A customer of a PosBytz shop deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source posbytz.ecommerce."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deletedAt: str
    store: str
    userId: str


class PosbytzCustomerEmailVerified(TypedDict):
    """A customer followed the mailed link; the address is verified. Source posbytz.ecommerce. The only event of its transaction."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    # In lower case.
    email: str
    store: str
    userId: str
    verifiedAt: str


class PosbytzCustomerMobileVerified(TypedDict):
    """A customer entered the code of the SMS; the mobile is verified. Source posbytz.ecommerce."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    mobile: str
    store: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str
    verifiedAt: str


class PosbytzCustomerPasswordChanged(TypedDict):
    """A customer of a PosBytz shop set a new password with a code. Source posbytz.ecommerce."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    changedAt: str
    store: str
    userId: str


class PosbytzCustomerSignedIn(TypedDict):
    """A customer signed in, with a password or with the code that verified the mobile. Source posbytz.ecommerce."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1, 2]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    method: Literal["password", "otp"]
    signedInAt: str
    store: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class PosbytzCustomerVerificationRequested(TypedDict):
    """A message that verifies an address or a mobile is being sent to a customer: a link by e-mail, or a code by SMS. Published after customer.created, and alone when a message is sent again. One event for each channel. Source posbytz.ecommerce."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    channel: Literal["email", "mobile"]
    # The time at which the link or the code ends.
    expiresAt: str
    requestedAt: str
    store: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class PosbytzReferralRecorded(TypedDict):
    """A sign-up named a referral code or a known referrer. Source posbytz.ecommerce. The last event of its transaction."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    recordedAt: str
    # As the caller sent it. Latchkey does not check it.
    referralCode: str | None
    # The id of a customer of the same store; null when there is no such customer.
    referredBy: str | None
    # Whether the referrer is a customer of the store.
    resolved: bool
    store: str
    # True if the phone number of the user is a test number, so the user is no person. Otherwise absent.
    testNumber: NotRequired[bool]
    userId: str


class UrbanfitsSessionRevoked(TypedDict):
    """A session of UrbanFits, or all sessions of the user, ended before their time. Source urbanfits.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: int
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    reason: Literal["signed_out", "signed_out_everywhere", "password_reset"]
    revokedAt: str
    userId: str


class UrbanfitsUserCreated(TypedDict):
    """A user confirmed a sign-up with UrbanFits by entering the mailed code. Source urbanfits.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    createdAt: str
    email: str
    emailVerified: Literal[True]
    phoneNumber: str
    phonePrefix: str
    # A name of the IANA database.
    timezone: str
    # The User-Agent header of the request that entered the code; empty without the header.
    userAgent: str
    userId: str
    username: str


class UrbanfitsUserDeleted(TypedDict):
    """A user of UrbanFits deleted the account. Every session is over and the identifiers are free: delete what you know of the user. Source urbanfits.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    deletedAt: str
    userId: str


class UrbanfitsUserPasswordChanged(TypedDict):
    """A user of UrbanFits set a new password with a code. Source urbanfits.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    changedAt: str
    userId: str


class UrbanfitsUserSignedIn(TypedDict):
    """A user logged in to UrbanFits. Source urbanfits.auth."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[1]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    method: Literal["password"]
    signedInAt: str
    userId: str


class UrbanfitsWalletOpened(TypedDict):
    """A new user of UrbanFits got a wallet. Source urbanfits.auth. The second event of a sign-up."""

    schemaVersion: Literal[1]
    # The id of the event. A consumer drops an event whose id it has handled.
    eventId: str
    # The same in all events of one transaction.
    correlationId: str
    # The order within the transaction.
    sequence: Literal[2]
    # The eventId of the event before it in the same transaction; absent in the first one.
    causedBy: NotRequired[str]
    # Grows with each event about the user, in the order of the commits. It has gaps.
    userVersion: NotRequired[int]
    cardNumber: str
    openedAt: str
    points: Literal[500]
    source: Literal["signup"]
    userId: str


GoodcityDeviceRegisteredEvent = TypedDict(
    "GoodcityDeviceRegisteredEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["goodcity.auth"],
        "detail-type": Literal["device.registered"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GoodcityDeviceRegistered,
    },
)


GoodcityUserCreatedEvent = TypedDict(
    "GoodcityUserCreatedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["goodcity.auth"],
        "detail-type": Literal["user.created"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GoodcityUserCreated,
    },
)


GoodcityUserDeletedEvent = TypedDict(
    "GoodcityUserDeletedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["goodcity.auth"],
        "detail-type": Literal["user.deleted"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GoodcityUserDeleted,
    },
)


GoodcityUserVerifiedEvent = TypedDict(
    "GoodcityUserVerifiedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["goodcity.auth"],
        "detail-type": Literal["user.verified"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GoodcityUserVerified,
    },
)


GoodcityEvent = Union[
    GoodcityDeviceRegisteredEvent,
    GoodcityUserCreatedEvent,
    GoodcityUserDeletedEvent,
    GoodcityUserVerifiedEvent,
]


GotuAuthPasswordChangedEvent = TypedDict(
    "GotuAuthPasswordChangedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_PASSWORD_CHANGED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthPasswordChanged,
    },
)


GotuAuthPhoneChangedEvent = TypedDict(
    "GotuAuthPhoneChangedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_PHONE_CHANGED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthPhoneChanged,
    },
)


GotuAuthSessionRevokedEvent = TypedDict(
    "GotuAuthSessionRevokedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_SESSION_REVOKED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthSessionRevoked,
    },
)


GotuAuthUserCreatedEvent = TypedDict(
    "GotuAuthUserCreatedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_USER_CREATED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthUserCreated,
    },
)


GotuAuthUserDeletedEvent = TypedDict(
    "GotuAuthUserDeletedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_USER_DELETED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthUserDeleted,
    },
)


GotuAuthUserSignedInEvent = TypedDict(
    "GotuAuthUserSignedInEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["AUTH_USER_SIGNED_IN"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuAuthUserSignedIn,
    },
)


GotuNewDeviceTokenEvent = TypedDict(
    "GotuNewDeviceTokenEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["auth-service"],
        "detail-type": Literal["NEW_DEVICE_TOKEN"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": GotuNewDeviceToken,
    },
)


GotuEvent = Union[
    GotuAuthPasswordChangedEvent,
    GotuAuthPhoneChangedEvent,
    GotuAuthSessionRevokedEvent,
    GotuAuthUserCreatedEvent,
    GotuAuthUserDeletedEvent,
    GotuAuthUserSignedInEvent,
    GotuNewDeviceTokenEvent,
]


LatchkeyMessageBouncedEvent = TypedDict(
    "LatchkeyMessageBouncedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["MESSAGE_BOUNCED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyMessageBounced,
    },
)


LatchkeyMessageComplainedEvent = TypedDict(
    "LatchkeyMessageComplainedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["MESSAGE_COMPLAINED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyMessageComplained,
    },
)


LatchkeyMessageDeliveredEvent = TypedDict(
    "LatchkeyMessageDeliveredEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["MESSAGE_DELIVERED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyMessageDelivered,
    },
)


LatchkeyMessageFailedEvent = TypedDict(
    "LatchkeyMessageFailedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["MESSAGE_FAILED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyMessageFailed,
    },
)


LatchkeyMessageSentEvent = TypedDict(
    "LatchkeyMessageSentEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["MESSAGE_SENT"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyMessageSent,
    },
)


LatchkeyTestNumberUsedEvent = TypedDict(
    "LatchkeyTestNumberUsedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["TEST_NUMBER_USED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyTestNumberUsed,
    },
)


LatchkeyUserBannedEvent = TypedDict(
    "LatchkeyUserBannedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["USER_BANNED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyUserBanned,
    },
)


LatchkeyUserErasedEvent = TypedDict(
    "LatchkeyUserErasedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["USER_ERASED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyUserErased,
    },
)


LatchkeyUserUnbannedEvent = TypedDict(
    "LatchkeyUserUnbannedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["latchkey"],
        "detail-type": Literal["USER_UNBANNED"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": LatchkeyUserUnbanned,
    },
)


LatchkeyEvent = Union[
    LatchkeyMessageBouncedEvent,
    LatchkeyMessageComplainedEvent,
    LatchkeyMessageDeliveredEvent,
    LatchkeyMessageFailedEvent,
    LatchkeyMessageSentEvent,
    LatchkeyTestNumberUsedEvent,
    LatchkeyUserBannedEvent,
    LatchkeyUserErasedEvent,
    LatchkeyUserUnbannedEvent,
]


PosbytzCustomerCreatedEvent = TypedDict(
    "PosbytzCustomerCreatedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.created"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerCreated,
    },
)


PosbytzCustomerDeletedEvent = TypedDict(
    "PosbytzCustomerDeletedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.deleted"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerDeleted,
    },
)


PosbytzCustomerEmailVerifiedEvent = TypedDict(
    "PosbytzCustomerEmailVerifiedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.email_verified"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerEmailVerified,
    },
)


PosbytzCustomerMobileVerifiedEvent = TypedDict(
    "PosbytzCustomerMobileVerifiedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.mobile_verified"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerMobileVerified,
    },
)


PosbytzCustomerPasswordChangedEvent = TypedDict(
    "PosbytzCustomerPasswordChangedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.password_changed"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerPasswordChanged,
    },
)


PosbytzCustomerSignedInEvent = TypedDict(
    "PosbytzCustomerSignedInEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.signed_in"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerSignedIn,
    },
)


PosbytzCustomerVerificationRequestedEvent = TypedDict(
    "PosbytzCustomerVerificationRequestedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["customer.verification_requested"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzCustomerVerificationRequested,
    },
)


PosbytzReferralRecordedEvent = TypedDict(
    "PosbytzReferralRecordedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["posbytz.ecommerce"],
        "detail-type": Literal["referral.recorded"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": PosbytzReferralRecorded,
    },
)


PosbytzEvent = Union[
    PosbytzCustomerCreatedEvent,
    PosbytzCustomerDeletedEvent,
    PosbytzCustomerEmailVerifiedEvent,
    PosbytzCustomerMobileVerifiedEvent,
    PosbytzCustomerPasswordChangedEvent,
    PosbytzCustomerSignedInEvent,
    PosbytzCustomerVerificationRequestedEvent,
    PosbytzReferralRecordedEvent,
]


UrbanfitsSessionRevokedEvent = TypedDict(
    "UrbanfitsSessionRevokedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["session.revoked"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsSessionRevoked,
    },
)


UrbanfitsUserCreatedEvent = TypedDict(
    "UrbanfitsUserCreatedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["user.created"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsUserCreated,
    },
)


UrbanfitsUserDeletedEvent = TypedDict(
    "UrbanfitsUserDeletedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["user.deleted"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsUserDeleted,
    },
)


UrbanfitsUserPasswordChangedEvent = TypedDict(
    "UrbanfitsUserPasswordChangedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["user.password_changed"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsUserPasswordChanged,
    },
)


UrbanfitsUserSignedInEvent = TypedDict(
    "UrbanfitsUserSignedInEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["user.signed_in"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsUserSignedIn,
    },
)


UrbanfitsWalletOpenedEvent = TypedDict(
    "UrbanfitsWalletOpenedEvent",
    {
        "version": str,
        "id": str,
        "source": Literal["urbanfits.auth"],
        "detail-type": Literal["wallet.opened"],
        "account": str,
        "time": str,
        "region": str,
        "resources": list[str],
        "detail": UrbanfitsWalletOpened,
    },
)


UrbanfitsEvent = Union[
    UrbanfitsSessionRevokedEvent,
    UrbanfitsUserCreatedEvent,
    UrbanfitsUserDeletedEvent,
    UrbanfitsUserPasswordChangedEvent,
    UrbanfitsUserSignedInEvent,
    UrbanfitsWalletOpenedEvent,
]
