//! What SNS and SES say of the account and of recipients, and what they therefore do with messages: numbers that opted
//! out, the sandboxes, the monthly limit, the suppression list.

use super::reply::Reply;
use super::{ApiCall, Fate, Service, ses, sns};
use crate::random;
use crate::records::Records;
use crate::sync::lock;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The state of both carriers, as the admin API shows and sets it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CarrierState {
    sms: SmsState,
    mail: MailState,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct SmsState {
    /// The numbers that asked for no more texts.
    opted_out: BTreeSet<String>,
    /// Whether texts go to verified numbers alone.
    sandbox: bool,
    verified: BTreeSet<String>,
    monthly_spend_limit_usd: u32,
    /// Whether the limit is reached.
    spent: bool,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct MailState {
    /// Whether mails go to verified addresses alone.
    sandbox: bool,
    verified: BTreeSet<String>,
    /// Whether the account may send nothing.
    paused: bool,
    /// The suppression list: `BOUNCE` or `COMPLAINT` for each address.
    suppressed: BTreeMap<String, String>,
}

impl Default for SmsState {
    /// A new account outside of the sandbox may spend 1 USD in a month.
    fn default() -> Self {
        let (opted_out, verified) = (BTreeSet::new(), BTreeSet::new());
        Self { opted_out, sandbox: false, verified, monthly_spend_limit_usd: 1, spent: false }
    }
}

/// The state of both carriers.
#[derive(Debug, Default)]
pub(crate) struct Carriers(Mutex<CarrierState>);

impl Carriers {
    pub(crate) fn set(&self, state: CarrierState) {
        *lock(&self.0) = state;
    }

    pub(crate) fn state(&self) -> CarrierState {
        lock(&self.0).clone()
    }

    /// Returns what becomes of a message because of the state; `None` for what is sent as always.
    pub(super) fn fate(&self, call: &ApiCall, body: &[u8]) -> Option<Fate> {
        let state = lock(&self.0);
        match (call.service, call.operation.as_str()) {
            (Service::Sns, "Publish") => {
                let phone = field(body, "PhoneNumber");
                let (sms, unverified) = (&state.sms, !state.sms.verified.contains(&phone));
                match () {
                    () if sms.opted_out.contains(&phone) => Some(Fate::Bounced),
                    () if sms.sandbox && unverified => Some(Fate::Undelivered),
                    () => sms.spent.then_some(Fate::Spent),
                }
            }
            (Service::Ses, "SendEmail") => {
                state.mail.suppressed.contains_key(&addressee(body)).then_some(Fate::Bounced)
            }
            _ => None,
        }
    }

    /// Answers a question about the state, and a call that the state changes; `None` for any other call.
    pub(super) fn answer(&self, call: &ApiCall, head: &Parts, body: &[u8]) -> Option<Reply> {
        let operation = call.operation.as_str();
        if self.fate(call, body).is_some() {
            let unseen = Records::default();
            return Some(match call.service {
                Service::Ses => ses::call(operation, body, &unseen),
                _ => sns::call(operation, body, &unseen),
            });
        }
        let state = lock(&self.0);
        match (call.service, operation) {
            (Service::Sns, _) => sms_answer(&state.sms, operation, body),
            (Service::Ses, "SendEmail") => {
                let is_verified = state.mail.verified.contains(&addressee(body));
                let refused = state.mail.sandbox && !is_verified;
                refused.then(ses::misconfigured)
            }
            (Service::Ses, "GetAccount") => Some(json_reply(&json!({
                "ProductionAccessEnabled": !state.mail.sandbox,
                "SendingEnabled": !state.mail.paused,
            }))),
            (Service::Ses, "GetSuppressedDestination") => {
                Some(suppressed(&state.mail, &ses::suppressed_address(head.uri.path())))
            }
            _ => None,
        }
    }
}

fn sms_answer(sms: &SmsState, action: &str, body: &[u8]) -> Option<Reply> {
    let result = match action {
        "CheckIfPhoneNumberIsOptedOut" => {
            let is_opted_out = sms.opted_out.contains(&field(body, "phoneNumber"));
            format!("<isOptedOut>{is_opted_out}</isOptedOut>")
        }
        "GetSMSAttributes" => format!(
            "<attributes><entry><key>MonthlySpendLimit</key><value>{}</value></entry></attributes>",
            sms.monthly_spend_limit_usd
        ),
        "GetSMSSandboxAccountStatus" => format!("<IsInSandbox>{}</IsInSandbox>", sms.sandbox),
        "ListSMSSandboxPhoneNumbers" => {
            let number = |phone: &String| {
                format!(
                    "<member><PhoneNumber>{phone}</PhoneNumber><Status>Verified</Status></member>"
                )
            };
            let numbers: String = sms.verified.iter().map(number).collect();
            format!("<PhoneNumbers>{numbers}</PhoneNumbers>")
        }
        _ => return None,
    };
    let body = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
        random::uuid()
    );
    Some(Reply::new(StatusCode::OK, "text/xml", body))
}

fn suppressed(mail: &MailState, address: &str) -> Reply {
    match mail.suppressed.get(address) {
        Some(reason) => json_reply(&json!({ "SuppressedDestination": {
            "EmailAddress": address, "Reason": reason, "LastUpdateTime": 0,
        } })),
        None => Reply::rest_error(
            StatusCode::NOT_FOUND,
            "NotFoundException",
            "the address is not on the suppression list",
        ),
    }
}

fn json_reply(body: &Json) -> Reply {
    Reply::new(StatusCode::OK, "application/json", body.to_string())
}

/// Returns a field of a request in the query protocol.
fn field(body: &[u8], name: &str) -> String {
    let mut fields = form_urlencoded::parse(body);
    fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Returns the first recipient of a mail.
fn addressee(body: &[u8]) -> String {
    let request: Json = serde_json::from_slice(body).unwrap_or_default();
    let to = request.pointer("/Destination/ToAddresses/0").and_then(Json::as_str);
    to.unwrap_or_default().to_lowercase()
}
