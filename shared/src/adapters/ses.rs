//! Mails through SES v2.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::identifier::Identifier;
use crate::domain::sender::MailSenders;
use crate::ports::{Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};

/// What SES says of a recipient that it will never send to.
const OF_RECIPIENT: [&str; 6] =
    ["blacklisted", "suppression list", "Illegal address", "Local address", "Domain", "@domain"];
/// The error codes that every mail of the account gets until an operator changes something.
const OF_ACCOUNT: [&str; 6] = [
    "AccessDeniedException",
    "AccountSuspendedException",
    "BadRequestException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "SendingPausedException",
];
const ACTION: &str = "send a mail";

/// Sends mails.
pub struct SesMail {
    client: Client,
    senders: MailSenders,
    /// The configuration set whose events say what became of a mail.
    configuration_set: Option<String>,
}

impl SesMail {
    /// Creates the adapter that sends from the addresses of `senders`, with a configuration set if there is
    /// one. The addresses must be verified in SES.
    #[must_use]
    pub fn new(aws: &Aws, senders: MailSenders, configuration_set: Option<String>) -> Self {
        let client = client!(aws_sdk_sesv2, aws, "SESV2", RetryMode::Once);
        Self { client, senders, configuration_set }
    }
}

fn utf8(text: &str) -> Result<Content, BuildError> {
    Content::builder().data(text).charset("UTF-8").build()
}

fn content(message: &Message) -> Result<EmailContent, BuildError> {
    let body = Body::builder().text(utf8(&message.text)?).html(utf8(&message.html)?).build();
    let simple = SesMessage::builder().subject(utf8(&message.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(simple).build())
}

#[async_trait]
impl Messages for SesMail {
    async fn send(&self, message: &Message) -> Result<SendOutcome, PortError> {
        let Identifier::Email(email) = &message.recipient else {
            return Ok(SendOutcome::Refused("not a mailbox".to_owned()));
        };
        let content = content(message).map_err(|error| PortError::new("build a request", error))?;
        let sender = self.senders.of(&message.contract);
        let mail = self
            .client
            .send_email()
            .from_email_address(sender.header())
            .set_reply_to_addresses(sender.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(self.configuration_set.clone())
            .destination(Destination::builder().to_addresses(email.as_str()).build())
            .content(content);
        match mail.send().await {
            Ok(answer) => Ok(SendOutcome::Accepted(answer.message_id)),
            Err(error) => judge(error.code(), error.message())
                .unwrap_or_else(|| Err(port_error(ACTION, &error))),
        }
    }
}

/// Judges an error of SES: the recipient is refused for good, or the account must be changed. `None` for
/// an error that may pass, or that is not known: the mail is kept.
fn judge(code: Option<&str>, text: Option<&str>) -> Option<Result<SendOutcome, PortError>> {
    let (code, text) = (code?, text.unwrap_or_default());
    let misconfigured = |reason: &str| {
        let reason = format!("SES answered {code}, {reason}");
        Some(Err(PortError::misconfiguration(ACTION, reason)))
    };
    match code {
        // Also said of a recipient while the account is in the sandbox.
        "MessageRejected" if text.contains("not verified") => {
            misconfigured("an address is not verified")
        }
        "MessageRejected" | "BadRequestException"
            if OF_RECIPIENT.iter().any(|part| text.contains(part)) =>
        {
            Some(Ok(SendOutcome::Refused(code.to_owned())))
        }
        _ if OF_ACCOUNT.contains(&code) => misconfigured("which is not about the recipient"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_account_is_told_apart_from_the_recipient() {
        let judged = |code: &str, text: &str| judge(Some(code), Some(text));
        for (code, text) in [
            ("MessageRejected", "Address blacklisted."),
            ("BadRequestException", "Missing final '@domain'"),
            ("BadRequestException", "Domain contains illegal character"),
        ] {
            let refused = SendOutcome::Refused(code.to_owned());
            assert_eq!(judged(code, text).unwrap().unwrap(), refused, "{text}");
        }
        for (code, text) in [
            ("MessageRejected", "Email address is not verified. The following identities failed"),
            ("MailFromDomainNotVerifiedException", ""),
            ("BadRequestException", "The configuration set is not valid"),
            ("SendingPausedException", ""),
        ] {
            assert!(judged(code, text).unwrap().unwrap_err().is_misconfiguration(), "{code}");
        }
        for code in ["TooManyRequestsException", "LimitExceededException", "MessageRejected"] {
            assert!(judged(code, "").is_none(), "{code}");
        }
    }
}
