//! The function instance that makes a call, and the service that it calls, read from the signature.

use crate::deployed::{Account, Connection};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

/// The services of the endpoint. JSON has the names of the admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    DynamoDb,
    Sns,
    Ses,
    Events,
    Secrets,
    /// AWS End User Messaging SMS.
    #[serde(rename = "sms-voice")]
    SmsVoice,
    /// The webhook of the operator, which this stack also plays. It is no service of AWS.
    Webhook,
    /// The system that users move in from, which this stack also plays.
    #[serde(rename = "old-system")]
    OldSystem,
}

impl Service {
    /// Returns whether the service sends messages.
    pub(crate) const fn is_carrier(self) -> bool {
        matches!(self, Self::Sns | Self::Ses | Self::SmsVoice | Self::Webhook)
    }

    /// Returns the name in the admin API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sns => "sns",
            Self::Ses => "ses",
            Self::Events => "events",
            Self::Secrets => "secrets",
            Self::SmsVoice => "sms-voice",
            Self::Webhook => "webhook",
            Self::OldSystem => "old-system",
        }
    }
}

/// A function instance that calls a service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) function: String,
    pub(crate) instance: Instance,
    pub(crate) service: Service,
}

/// An instance of a function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Instance {
    /// A process of this stack, by its number.
    Local(String),
    /// A process of an account: the one that opened this connection.
    Deployed(Connection),
}

impl Caller {
    /// Reads `Credential=<function>.<instance>/<date>/<region>/<service>/aws4_request`. The
    /// signature is not checked: only this machine can connect.
    pub(crate) fn local(headers: &HeaderMap) -> Option<Self> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, scope) = authorization.split_once("Credential=")?;
        let scope = scope.split([',', ' ']).next()?;
        let mut parts = scope.split('/');
        let key = parts.next()?;
        let service = match parts.nth(2)? {
            "dynamodb" => Service::DynamoDb,
            "sns" => Service::Sns,
            "ses" => Service::Ses,
            "events" => Service::Events,
            "secretsmanager" => Service::Secrets,
            "sms-voice" => Service::SmsVoice,
            _ => return None,
        };
        let (function, instance) = key.rsplit_once('.').unwrap_or((key, ""));
        let instance = Instance::Local(instance.to_owned());
        Some(Self { function: function.to_owned(), instance, service })
    }

    /// Identifies a deployed function, whose credentials are the account's: the endpoint belongs to
    /// one function, and the connection to one instance.
    pub(crate) fn deployed(head: &Parts) -> Option<Self> {
        let (function, connection) = Account::caller(head)?;
        let service = Self::local(&head.headers)?.service;
        Some(Self { function, instance: Instance::Deployed(connection), service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(authorization: &str) -> Option<Caller> {
        Caller::local(&[(AUTHORIZATION, authorization.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn the_credential_scope_names_the_instance_and_the_service() {
        let authorization = "AWS4-HMAC-SHA256 Credential=gotu-post-otp.3/20261122/us-east-1/secretsmanager/\
            aws4_request, SignedHeaders=host, Signature=00";
        let expected = Caller {
            function: "gotu-post-otp".into(),
            instance: Instance::Local("3".into()),
            service: Service::Secrets,
        };
        assert_eq!(caller(authorization), Some(expected));
    }

    #[test]
    fn unsigned_calls_and_calls_of_other_services_have_no_caller() {
        assert_eq!(
            caller("AWS4-HMAC-SHA256 Credential=f.1/20261122/us-east-1/s3/aws4_request"),
            None
        );
        assert_eq!(caller("Basic x"), None);
        assert_eq!(Caller::local(&HeaderMap::new()), None);
    }
}
