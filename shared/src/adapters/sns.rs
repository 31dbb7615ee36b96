//! Text messages through SNS.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::identifier::Identifier;
use crate::domain::sender::{Sender, Senders};
use crate::ports::{Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;
use std::collections::BTreeMap;

const ACTION: &str = "send a text";

/// The error codes that name the recipient alone.
const OF_RECIPIENT: [&str; 1] = ["OptedOut"];
/// The error codes of a parameter that SNS does not take. Only the text says which one.
const OF_A_PARAMETER: [&str; 4] =
    ["InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationException"];
/// The error codes that every text of the account gets until an operator changes something.
const OF_ACCOUNT: [&str; 4] =
    ["AuthorizationError", "InvalidClientTokenId", "OptInRequired", "UserError"];

/// The settings of text messages.
#[derive(Clone, Debug)]
pub struct SmsSettings {
    /// The price limit of one message, in USD. A more expensive message is not sent.
    pub max_price_usd: Option<String>,
}

/// Sends text messages.
pub struct SnsTexts {
    /// The client of the region of SMS, and those of the regions that senders name.
    client: Client,
    of_regions: BTreeMap<String, Client>,
    settings: SmsSettings,
}

impl SnsTexts {
    /// Creates the adapter, with a client for each region that a sender names.
    #[must_use]
    pub fn new(aws: &Aws, settings: SmsSettings, senders: &Senders) -> Self {
        let client = |aws: &Aws| client!(aws_sdk_sns, aws, "SNS", RetryMode::Once);
        let regions = senders.all().filter_map(|sender| sender.region.as_deref());
        let of_regions = regions.map(|name| (name.to_owned(), client(&aws.in_region(name))));
        Self { client: client(aws), of_regions: of_regions.collect(), settings }
    }
}

fn attribute(data_type: &str, value: &str) -> Result<MessageAttributeValue, PortError> {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .map_err(|error| PortError::new("build a request", error))
}

#[async_trait]
impl Messages for SnsTexts {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let Identifier::Phone(phone) = &message.recipient else {
            return Ok(SendOutcome::Refused("not a phone".to_owned()));
        };
        let Sender { sender_id, origination_number, register, region, .. } = &message.sender;
        let of_region = region.as_ref().and_then(|region| self.of_regions.get(region));
        let mut publish = of_region
            .unwrap_or(&self.client)
            .publish()
            .phone_number(phone.as_str())
            .message(&message.text);
        let ids = register.as_ref().map(|ids| (&*ids.entity_id, ids.template_id(&message.name)));
        // The names of the attributes: SNS developer guide, "Publishing to a mobile phone".
        for (name, kind, value) in [
            ("AWS.SNS.SMS.SMSType", "String", Some("Transactional")),
            ("AWS.SNS.SMS.SenderID", "String", sender_id.as_deref()),
            ("AWS.SNS.SMS.MaxPrice", "Number", self.settings.max_price_usd.as_deref()),
            ("AWS.MM.SMS.OriginationNumber", "String", origination_number.as_deref()),
            ("AWS.MM.SMS.EntityId", "String", ids.map(|(entity, _)| entity)),
            ("AWS.MM.SMS.TemplateId", "String", ids.map(|(_, template)| template)),
        ] {
            if let Some(value) = value {
                publish = publish.message_attributes(name, attribute(kind, value)?);
            }
        }
        match publish.send().await {
            Ok(answer) => Ok(SendOutcome::Accepted(answer.message_id)),
            Err(error) => judge(error.code(), error.message())
                .unwrap_or_else(|| Err(port_error(ACTION, &error))),
        }
    }
}

/// Judges an error of SNS: the recipient is refused for good, or the account must be changed. `None` for
/// an error that may pass, or that is not known: the text is kept.
fn judge(code: Option<&str>, text: Option<&str>) -> Option<Result<SendOutcome, PortError>> {
    let code = code?;
    // "Invalid parameter: PhoneNumber Reason: … is not valid to publish to".
    let names_phone = text.unwrap_or_default().contains("PhoneNumber");
    if OF_RECIPIENT.contains(&code) || (OF_A_PARAMETER.contains(&code) && names_phone) {
        return Some(Ok(SendOutcome::Refused(code.to_owned())));
    }
    let is_of_account = OF_A_PARAMETER.contains(&code) || OF_ACCOUNT.contains(&code);
    let reason = format!("SNS answered {code}, which is not about the recipient");
    is_of_account.then(|| Err(PortError::misconfiguration(ACTION, reason)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_account_is_told_apart_from_the_recipient() {
        let judged = |code: &str, text: &str| judge(Some(code), Some(text));
        let phone = "Invalid parameter: PhoneNumber Reason: +1 is not valid to publish to";
        for (code, text) in [("InvalidParameter", phone), ("OptedOut", "")] {
            let refused = SendOutcome::Refused(code.to_owned());
            assert_eq!(judged(code, text).unwrap().unwrap(), refused, "{code}");
        }
        for (code, text) in [
            ("InvalidParameter", "Invalid parameter: SenderID"),
            ("InvalidParameterValue", ""),
            ("AuthorizationError", "no"),
        ] {
            let error = judged(code, text).unwrap().unwrap_err();
            assert!(error.is_misconfiguration(), "{code}");
        }
        for code in ["Throttled", "InternalError", "SomethingNew"] {
            assert!(judged(code, phone).is_none(), "{code}");
        }
        assert!(judge(None, None).is_none());
    }
}
