//! Text messages through SNS.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::identifier::Identifier;
use crate::ports::{Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;

/// The error codes of permanent failures: the number is invalid or the recipient opted out.
const FOR_GOOD: [&str; 6] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "OptedOut",
    "NotFound",
    "ValidationException",
];

/// The settings of text messages.
#[derive(Clone, Debug)]
pub struct SmsSettings {
    /// The sender that the phone shows, in countries that allow it.
    pub sender_id: Option<String>,
    /// The price limit of one message, in USD. A more expensive message is not sent.
    pub max_price_usd: Option<String>,
}

/// Sends text messages.
pub struct SnsTexts {
    client: Client,
    settings: SmsSettings,
}

impl SnsTexts {
    #[must_use]
    pub fn new(aws: &Aws, settings: SmsSettings) -> Self {
        Self { client: client!(aws_sdk_sns, aws, "SNS", RetryMode::Once), settings }
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
            Ok(_) => Ok(SendOutcome::Accepted),
            Err(error) => match error.code() {
                Some(code) if FOR_GOOD.contains(&code) => Ok(SendOutcome::Refused(code.to_owned())),
                _ => Err(port_error("send a text", &error)),
            },
        }
    }
}
