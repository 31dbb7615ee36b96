//! Mail through SES v2.

use super::aws::{Aws, Pace, client, failed};
use crate::domain::identifier::Identifier;
use crate::ports::{Message, Messages, PortError, Sent};
use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata as _};
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
        Self { client: client!(aws_sdk_sesv2, aws, "SESV2", Pace::Once), sender }
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
                // An unverified sender is refused with the same code; that is no fault of the
                // recipient's and passes once the sender is verified.
                Some(code)
                    if FOR_GOOD.contains(&code)
                        && !error.message().unwrap_or_default().contains("not verified") =>
                {
                    Ok(Sent::Refused(code.to_owned()))
                }
                _ => Err(failed("send a mail", &error)),
            },
        }
    }
}
