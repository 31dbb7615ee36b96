//! Text messages through AWS End User Messaging SMS.

use super::aws::{Aws, RetryMode, client, port_error};
use super::sns::SmsSettings;
use crate::domain::bill::MicroUsd;
use crate::domain::identifier::Identifier;
use crate::domain::sender::{Sender, Senders};
use crate::ports::{Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_sdk_pinpointsmsvoicev2::Client;
use aws_sdk_pinpointsmsvoicev2::error::ProvideErrorMetadata as _;
use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageError;
use aws_sdk_pinpointsmsvoicev2::types::{
    ConflictExceptionReason, DestinationCountryParameterKey, MessageType, ValidationExceptionReason,
};
use std::collections::BTreeMap;

const ACTION: &str = "send a text";
/// The conflicts that are about the recipient.
const CONFLICTS_OF_RECIPIENT: [ConflictExceptionReason; 2] = [
    ConflictExceptionReason::DestinationPhoneNumberOptedOut,
    ConflictExceptionReason::DestinationPhoneNumberBlockedByProtectNumberOverride,
];

/// Sends text messages.
pub struct EndUserMessagingTexts {
    /// The client of the region of SMS, and those of the regions that senders name.
    client: Client,
    of_regions: BTreeMap<String, Client>,
    settings: SmsSettings,
}

impl EndUserMessagingTexts {
    /// Creates the adapter, with a client for each region that a sender names.
    #[must_use]
    pub fn new(aws: &Aws, settings: SmsSettings, senders: &Senders) -> Self {
        let client = |aws: &Aws| {
            client!(aws_sdk_pinpointsmsvoicev2, aws, "PINPOINT_SMS_VOICE_V2", RetryMode::Once)
        };
        let regions = senders.all().filter_map(|sender| sender.region.as_deref());
        let of_regions = regions.map(|name| (name.to_owned(), client(&aws.in_region(name))));
        Self { client: client(aws), of_regions: of_regions.collect(), settings }
    }
}

#[async_trait]
impl Messages for EndUserMessagingTexts {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let Identifier::Phone(phone) = &message.recipient else {
            return Ok(SendOutcome::Refused("not a phone".to_owned()));
        };
        let Sender { sender_id, origination_number, register, region, .. } = &message.sender;
        let of_region = region.as_ref().and_then(|region| self.of_regions.get(region));
        let mut send = of_region
            .unwrap_or(&self.client)
            .send_text_message()
            .destination_phone_number(phone.as_str())
            .message_body(&message.text)
            .message_type(MessageType::Transactional)
            .set_origination_identity(origination_number.as_ref().or(sender_id.as_ref()).cloned())
            .set_max_price(self.settings.max_price_usd.as_deref().and_then(price))
            .context("text", &message.name);
        if let Some(register) = register {
            let (entity, template) = (
                DestinationCountryParameterKey::InEntityId,
                DestinationCountryParameterKey::InTemplateId,
            );
            send = send
                .destination_country_parameters(entity, &register.entity_id)
                .destination_country_parameters(template, register.template_id(&message.name));
        }
        match send.send().await {
            Ok(answer) => Ok(SendOutcome::Accepted(answer.message_id)),
            Err(error) => error
                .as_service_error()
                .and_then(judge)
                .unwrap_or_else(|| Err(port_error(ACTION, &error))),
        }
    }
}

/// Returns a price as this service takes it: with a point and at most five decimals, below 100 USD. From 100 on,
/// there is no limit.
fn price(usd: &str) -> Option<String> {
    let MicroUsd(micro) = MicroUsd::parse(usd)?;
    let whole = micro.checked_div(1_000_000)?;
    let fraction = micro.checked_rem(1_000_000)?.checked_div(10)?;
    (whole < 100).then(|| format!("{whole}.{fraction:05}"))
}

/// Judges an error: the recipient is refused for good, or the account must be changed. `None` for an error
/// that may pass, or that is not known: the text is kept.
fn judge(error: &SendTextMessageError) -> Option<Result<SendOutcome, PortError>> {
    let refused = |reason: &str| Some(Ok(SendOutcome::Refused(reason.to_owned())));
    match error {
        SendTextMessageError::ConflictException(conflict)
            if conflict
                .reason
                .as_ref()
                .is_some_and(|reason| CONFLICTS_OF_RECIPIENT.contains(reason)) =>
        {
            refused("ConflictException")
        }
        SendTextMessageError::ValidationException(invalid) => {
            let of_recipient = [
                ValidationExceptionReason::CannotParse,
                ValidationExceptionReason::FieldValidationFailed,
                ValidationExceptionReason::InvalidParameter,
            ];
            let reason = invalid.reason.clone()?;
            let fields = invalid.fields();
            if of_recipient.contains(&reason)
                && fields
                    .iter()
                    .any(|field| field.name.eq_ignore_ascii_case("DestinationPhoneNumber"))
            {
                return refused(reason.as_str());
            }
            Some(Err(misconfigured(error, reason.as_str())))
        }
        SendTextMessageError::AccessDeniedException(_)
        | SendTextMessageError::ConflictException(_)
        | SendTextMessageError::ResourceNotFoundException(_)
        | SendTextMessageError::ServiceQuotaExceededException(_) => {
            Some(Err(misconfigured(error, "")))
        }
        _ => None,
    }
}

fn misconfigured(error: &SendTextMessageError, reason: &str) -> PortError {
    let code = error.code().unwrap_or("an error without a code");
    let text =
        format!("End User Messaging answered {code} {reason}, which is not about the recipient");
    PortError::misconfiguration(ACTION, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_pinpointsmsvoicev2::types::ValidationExceptionField;
    use aws_sdk_pinpointsmsvoicev2::types::error::{
        ConflictException, ServiceQuotaExceededException, ThrottlingException, ValidationException,
    };

    fn invalid(reason: ValidationExceptionReason, field: &str) -> SendTextMessageError {
        let field = ValidationExceptionField::builder().name(field).message("bad").build().unwrap();
        let error = ValidationException::builder().reason(reason).fields(field).build();
        SendTextMessageError::ValidationException(error)
    }

    #[test]
    fn a_price_has_a_point_and_five_decimals() {
        let prices = ["1", "0.5", "12.345678", "100"].map(price);
        let wanted = [Some("1.00000"), Some("0.50000"), Some("12.34567"), None];
        assert_eq!(prices, wanted.map(|price| price.map(str::to_owned)));
    }

    #[test]
    fn what_is_wrong_with_the_account_is_told_apart_from_the_recipient() {
        let opted_out = ConflictException::builder()
            .reason(ConflictExceptionReason::DestinationPhoneNumberOptedOut)
            .build();
        for error in [
            SendTextMessageError::ConflictException(opted_out),
            invalid(ValidationExceptionReason::InvalidParameter, "DestinationPhoneNumber"),
        ] {
            let judged = judge(&error).unwrap().unwrap();
            assert!(matches!(judged, SendOutcome::Refused(_)), "{error:?}");
        }
        let over = ServiceQuotaExceededException::builder().build();
        for error in [
            SendTextMessageError::ServiceQuotaExceededException(over),
            invalid(ValidationExceptionReason::SenderIdNotRegistered, "OriginationIdentity"),
            invalid(ValidationExceptionReason::InvalidParameter, "OriginationIdentity"),
        ] {
            assert!(judge(&error).unwrap().unwrap_err().is_misconfiguration(), "{error:?}");
        }
        let throttled = ThrottlingException::builder().build();
        assert!(judge(&SendTextMessageError::ThrottlingException(throttled)).is_none());
    }
}
