//! Text messages through SNS.

use super::aws::{Aws, Pace, client, failed};
use crate::domain::identifier::Identifier;
use crate::ports::{Message, Messages, PortError, Sent};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;

/// Answers that no repetition changes: the number is no number, or opted out.
const FOR_GOOD: [&str; 6] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "OptedOut",
    "NotFound",
    "ValidationException",
];

/// How texts are sent.
#[derive(Clone, Debug)]
pub struct SmsSettings {
    /// The sender that the phone shows, in countries that allow it.
    pub sender_id: Option<String>,
    /// The most that one text may cost, in USD; a dearer one is not sent.
    pub max_price_usd: Option<String>,
}

/// Sends text messages.
pub struct SnsTexts {
    client: Client,
    settings: SmsSettings,
}

impl SnsTexts {
    /// Sends through the account's SNS.
    #[must_use]
    pub fn new(aws: &Aws, settings: SmsSettings) -> Self {
        Self { client: client!(aws_sdk_sns, aws, "SNS", Pace::Once), settings }
    }
}

/// A message attribute of one type.
fn attribute(data_type: &str, value: &str) -> Result<MessageAttributeValue, PortError> {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .map_err(|error| PortError::new("build a request", error))
}

#[async_trait]
impl Messages for SnsTexts {
    async fn send(&self, message: &Message) -> Result<Sent, PortError> {
        let Identifier::Phone(phone) = &message.recipient else {
            return Ok(Sent::Refused("not a phone".to_owned()));
        };
        let transactional = attribute("String", "Transactional")?;
        let mut publish = self
            .client
            .publish()
            .phone_number(phone.as_str())
            .message(&message.text)
            .message_attributes("AWS.SNS.SMS.SMSType", transactional);
        if let Some(sender) = &self.settings.sender_id {
            let sender = attribute("String", sender)?;
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", sender);
        }
        if let Some(price) = &self.settings.max_price_usd {
            let price = attribute("Number", price)?;
            publish = publish.message_attributes("AWS.SNS.SMS.MaxPrice", price);
        }
        match publish.send().await {
            Ok(_) => Ok(Sent::Accepted),
            Err(error) => match error.code() {
                Some(code) if FOR_GOOD.contains(&code) => Ok(Sent::Refused(code.to_owned())),
                _ => Err(failed("send a text", &error)),
            },
        }
    }
}
