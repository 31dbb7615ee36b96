//! Mail through SES v2.

use super::aws::{Aws, client};
use crate::domain::identifier::Identifier;
use crate::ports::{Message, Messages, PortError, Sent};
use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};

/// Answers that no repetition changes.
const FOR_GOOD: [&str; 2] = ["MessageRejected", "BadRequestException"];

/// Sends mail.
pub struct SesMail {
    client: Client,
    sender: String,
}

impl SesMail {
    /// Sends from the address `sender`, which SES must know as verified.
    #[must_use]
    pub fn new(aws: &Aws, sender: String) -> Self {
        Self { client: client!(aws_sdk_sesv2, aws, "SESV2"), sender }
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
    async fn send(&self, message: &Message) -> Result<Sent, PortError> {
        let Identifier::Email(email) = &message.recipient else {
            return Ok(Sent::Refused("not a mailbox".to_owned()));
        };
        let content = content(message).map_err(|error| PortError::new("build a request", error))?;
        let mail = self
            .client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(email.as_str()).build())
            .content(content);
        match mail.send().await {
            Ok(_) => Ok(Sent::Accepted),
            Err(error) => match error.code() {
                Some(code) if FOR_GOOD.contains(&code) => Ok(Sent::Refused(code.to_owned())),
                // The service's text can repeat the address, so only its code is passed on.
                Some(code) => Err(PortError::new("send a mail", code.to_owned())),
                None => Err(PortError::new("send a mail", DisplayErrorContext(error).to_string())),
            },
        }
    }
}
