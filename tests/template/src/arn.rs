//! The account, the region and the ARNs of the local stack.

/// The region of the local stack.
pub const REGION: &str = "us-east-1";
/// The account of the local stack.
pub const ACCOUNT: &str = "000000000000";
/// The name of the stack, which is the prefix of names that the template leaves to
/// `CloudFormation`.
pub(crate) const STACK: &str = "latchkey";

/// The label of every stream. `DynamoDB` uses the time at which the stream was enabled; here it is
/// constant, so that stream positions in a data folder stay valid.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// Returns the ARN of a function.
#[must_use]
pub fn function(name: &str) -> String {
    arn("lambda", &format!("function:{name}"))
}

/// Returns the ARN of the rule of a schedule.
#[must_use]
pub fn rule(name: &str) -> String {
    arn("events", &format!("rule/{name}"))
}

/// Returns the ARN of the SES identity of an address or a domain.
#[must_use]
pub fn ses_identity(name: &str) -> String {
    arn("ses", &format!("identity/{name}"))
}

/// Returns the ARN of an identity that texts are sent as.
#[must_use]
pub fn sms_identity(name: &str) -> String {
    arn("sms-voice", &format!("identity/{name}"))
}

/// Returns the ARN of a table.
pub(crate) fn table(name: &str) -> String {
    arn("dynamodb", &format!("table/{name}"))
}

/// Returns the ARN of the stream of a table.
#[must_use]
pub fn stream(table_name: &str) -> String {
    format!("{}/stream/{STREAM_LABEL}", table(table_name))
}

/// Returns the ARN of a secret. Secrets Manager ends it with six random characters. Here they are
/// a hash of the name, so that the functions' environment is the same in every run.
pub(crate) fn secret(name: &str) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    // FNV-1a.
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut suffix = String::new();
    for _ in 0..6 {
        let index = usize::try_from(hash % 36).unwrap_or(0);
        suffix.extend(LETTERS.get(index).copied().map(char::from));
        hash /= 36;
    }
    arn("secretsmanager", &format!("secret:{name}-{suffix}"))
}

pub(crate) fn event_bus(name: &str) -> String {
    arn("events", &format!("event-bus/{name}"))
}

pub(crate) fn queue(name: &str) -> String {
    arn("sqs", name)
}

pub(crate) fn log_group(name: &str) -> String {
    arn("logs", &format!("log-group:{name}:*"))
}

pub(crate) fn alarm(name: &str) -> String {
    arn("cloudwatch", &format!("alarm:{name}"))
}

pub(crate) fn managed_policy(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
}
