//! Questions to SNS and SES about the account and about recipients.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::email::EmailAddress;
use crate::domain::phone::PhoneNumber;
use crate::ports::{CarrierAccounts, MailAccount, PortError, TextAccount};
use async_trait::async_trait;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::get_suppressed_destination::GetSuppressedDestinationError;

/// The attribute of SNS with the most that the account may spend in a month.
const SPEND_LIMIT: &str = "MonthlySpendLimit";

/// Asks SNS and SES.
pub struct AwsCarrierAccounts {
    texts: aws_sdk_sns::Client,
    mails: aws_sdk_sesv2::Client,
}

impl AwsCarrierAccounts {
    /// Creates the clients of the regions of texts and of mails.
    #[must_use]
    pub fn new(texts: &Aws, mails: &Aws) -> Self {
        Self {
            texts: client!(aws_sdk_sns, texts, "SNS", RetryMode::Retry),
            mails: client!(aws_sdk_sesv2, mails, "SESV2", RetryMode::Retry),
        }
    }

    /// Returns whether the account is in the sandbox, and the number is not one of the ten at most that it may
    /// send to.
    async fn is_outside_sandbox(&self, phone: &PhoneNumber) -> Result<bool, PortError> {
        let status = self.texts.get_sms_sandbox_account_status().send().await;
        let status = status.map_err(|error| port_error("ask for the sandbox of SMS", &error))?;
        if !status.is_in_sandbox {
            return Ok(false);
        }
        let listed = self.texts.list_sms_sandbox_phone_numbers().send().await;
        let listed =
            listed.map_err(|error| port_error("list the numbers of the sandbox", &error))?;
        let is_verified = listed.phone_numbers().iter().any(|number| {
            let status = number
                .status()
                .map(aws_sdk_sns::types::SmsSandboxPhoneNumberVerificationStatus::as_str);
            number.phone_number() == Some(phone.as_str()) && status == Some("Verified")
        });
        Ok(!is_verified)
    }
}

#[async_trait]
impl CarrierAccounts for AwsCarrierAccounts {
    async fn of_texts(&self, phone: &PhoneNumber) -> Result<TextAccount, PortError> {
        let opted_out = self
            .texts
            .check_if_phone_number_is_opted_out()
            .phone_number(phone.as_str())
            .send()
            .await;
        let opted_out =
            opted_out.map_err(|error| port_error("ask whether a number opted out", &error))?;
        let attributes = self.texts.get_sms_attributes().attributes(SPEND_LIMIT).send().await;
        let attributes =
            attributes.map_err(|error| port_error("ask for the limit of SMS", &error))?;
        let limit = attributes.attributes().and_then(|attributes| attributes.get(SPEND_LIMIT));
        Ok(TextAccount {
            opted_out: opted_out.is_opted_out,
            is_outside_sandbox: self.is_outside_sandbox(phone).await?,
            monthly_limit_usd: limit.cloned(),
        })
    }

    async fn of_mails(&self, email: &EmailAddress) -> Result<MailAccount, PortError> {
        let account = self.mails.get_account().send().await;
        let account = account.map_err(|error| port_error("ask for the account of SES", &error))?;
        let suppressed =
            self.mails.get_suppressed_destination().email_address(email.as_str()).send().await;
        let suppressed = match suppressed {
            Ok(found) => found.suppressed_destination.map(|found| found.reason.as_str().to_owned()),
            Err(error) if is_absent(&error) => None,
            Err(error) => return Err(port_error("ask whether an address is suppressed", &error)),
        };
        Ok(MailAccount {
            in_sandbox: !account.production_access_enabled,
            is_paused: !account.sending_enabled,
            suppressed,
        })
    }
}

/// Returns whether SES does not know a suppressed address.
fn is_absent<R>(error: &SdkError<GetSuppressedDestinationError, R>) -> bool {
    error.as_service_error().is_some_and(GetSuppressedDestinationError::is_not_found_exception)
}
