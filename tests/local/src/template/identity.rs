//! Physical names and ARNs of the template's resources in the local stack's account.

use anyhow::{anyhow, bail};
use serde_json::Value as Json;

use super::resolver::{Resolver, Resource};

/// The region that the local stack pretends to be in.
pub(crate) const REGION: &str = "us-east-1";
/// The account that the local stack pretends to be.
pub(crate) const ACCOUNT: &str = "000000000000";
/// The name of the stack, and the prefix of physical names that the template leaves to `CloudFormation`.
pub(super) const STACK: &str = "latchkey";
/// DynamoDB labels a stream with the time it was switched on. Ours never changes, so that positions kept in a
/// data folder stay valid.
const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// What `!Ref` gives for a resource.
pub(super) fn reference(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> anyhow::Result<String> {
    let name = || physical_name(resolver, resource);
    Ok(match resource.kind {
        "AWS::SecretsManager::Secret" => secret_arn(&name()?),
        "AWS::SQS::Queue" => format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{}", name()?),
        "AWS::SNS::Topic" => arn("sns", &name()?),
        // A REST or HTTP API is referred to by its id; there is one, and it is the local front.
        "AWS::Serverless::HttpApi" => "local".to_owned(),
        _ => name()?,
    })
}

/// What `!GetAtt` gives for an attribute of a resource.
pub(super) fn attribute(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    attribute: &str,
) -> anyhow::Result<String> {
    let name = physical_name(resolver, resource)?;
    Ok(match (resource.kind, attribute) {
        ("AWS::DynamoDB::Table", "Arn") => table_arn(&name),
        ("AWS::DynamoDB::Table", "StreamArn") => stream_arn(&name),
        ("AWS::SecretsManager::Secret", "Id" | "Arn") => secret_arn(&name),
        ("AWS::Events::EventBus", "Arn") => arn("events", &format!("event-bus/{name}")),
        ("AWS::Events::EventBus", "Name")
        | ("AWS::SQS::Queue", "QueueName")
        | ("AWS::SNS::Topic", "TopicName") => name,
        ("AWS::SQS::Queue", "Arn") => arn("sqs", &name),
        ("AWS::SQS::Queue", "QueueUrl") => reference(resolver, resource)?,
        ("AWS::SNS::Topic", "TopicArn") => arn("sns", &name),
        ("AWS::Serverless::Function", "Arn") => function_arn(&name),
        ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{name}:*")),
        ("AWS::KMS::Key", "Arn") => arn("kms", &format!("key/{name}")),
        ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        (kind, _) => {
            bail!("the local stack knows no attribute {attribute} of {} ({kind})", resource.id)
        }
    })
}

/// The name that a resource's property gives it, or else the one that the stack makes from its logical id.
pub(super) fn physical_name(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> anyhow::Result<String> {
    if resource.kind == "AWS::Serverless::Function" {
        return binary(resolver, resource);
    }
    let property = match resource.kind {
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::IAM::Role" => "RoleName",
        _ => "Name",
    };
    match resource.property(resolver, property)? {
        Some(Json::String(name)) if !name.is_empty() => Ok(name),
        None => Ok(format!("{STACK}-{}", resource.id)),
        Some(_) => Err(anyhow!("{}.{property} is not a text", resource.id)),
    }
}

/// A function's binary, which is its name everywhere.
pub(super) fn binary(resolver: &Resolver<'_>, resource: &Resource<'_>) -> anyhow::Result<String> {
    let binary = resource
        .section(resolver, "Metadata")?
        .and_then(|metadata| metadata.pointer("/BuildProperties/Binary").cloned());
    match binary {
        Some(Json::String(name)) if !name.is_empty() => Ok(name),
        _ => bail!(
            "{}: Metadata.BuildProperties.Binary does not name the function's binary",
            resource.id
        ),
    }
}

pub(crate) fn function_arn(name: &str) -> String {
    arn("lambda", &format!("function:{name}"))
}

pub(crate) fn rule_arn(name: &str) -> String {
    arn("events", &format!("rule/{name}"))
}

pub(crate) fn ses_identity_arn(address: &str) -> String {
    arn("ses", &format!("identity/{address}"))
}

pub(crate) fn stream_arn(table: &str) -> String {
    format!("{}/stream/{STREAM_LABEL}", table_arn(table))
}

fn table_arn(table: &str) -> String {
    arn("dynamodb", &format!("table/{table}"))
}

/// Secrets Manager ends an ARN with six random characters. Ours follow from the name, so the ARN in the
/// functions' environment stays the same from run to run.
pub(super) fn secret_arn(name: &str) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    // FNV-1a: any spread-out number will do.
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

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
}
