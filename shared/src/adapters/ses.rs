//! Mails through SES v2.

use super::aws::{Aws, RetryMode, client, port_error};
use crate::domain::identifier::Identifier;
use crate::ports::{Message, Messages, PortError, SendOutcome};
use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};

/// The error codes of permanent failures.
const FOR_GOOD: [&str; 2] = ["MessageRejected", "BadRequestException"];

/// Sends mails.
pub struct SesMail {
    client: Client,
    sender: String,
}

impl SesMail {
    /// Creates the adapter that sends from the address `sender`. The address must be verified in
    /// SES.
    #[must_use]
    pub fn new(aws: &Aws, sender: String) -> Self {
        Self { client: client!(aws_sdk_sesv2, aws, "SESV2", RetryMode::Once), sender }
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
        let mail = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(email.as_str()).build())
            .content(content);
        match mail.send().await {
            Ok(_) => Ok(SendOutcome::Accepted),
            Err(error) => match error.code() {
                // An unverified sender has the same error code. It is not the fault of the
                // recipient and ends when the sender is verified.
                Some(code)
                    if FOR_GOOD.contains(&code)
                        && !error.message().unwrap_or_default().contains("not verified") =>
                {
                    Ok(SendOutcome::Refused(code.to_owned()))
                }
                _ => Err(port_error("send a mail", &error)),
            },
        }
    }
}
