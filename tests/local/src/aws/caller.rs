//! Who calls which service, read from the signature's credential scope.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::deployed::{Account, Connection};

/// The services behind the endpoint, named as the fault interface names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    DynamoDb,
    Sns,
    Ses,
    Events,
    Secrets,
}

/// Who makes a call, and of which service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) function: String,
    pub(super) instance: Instance,
    pub(super) service: Service,
}

/// An instance of a function.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Instance {
    /// One that the stack started itself.
    Here(String),
    /// One that runs in an account: whoever opened this connection.
    Elsewhere(Connection),
}

impl Caller {
    /// `Credential=<function>.<instance>/<date>/<region>/<service>/aws4_request`. The signature itself proves
    /// nothing on a loopback interface and is not checked.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
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
            _ => return None,
        };
        let (function, instance) = key.rsplit_once('.').unwrap_or((key, ""));
        let instance = Instance::Here(instance.to_owned());
        Some(Self { function: function.to_owned(), instance, service })
    }

    /// A function that runs elsewhere has the credentials of that place. Its endpoint names it, and its connection
    /// the instance.
    pub(super) fn elsewhere(head: &Parts) -> Option<Self> {
        let (function, connection) = Account::caller(head)?;
        let service = Self::of(&head.headers)?.service;
        Some(Self { function, instance: Instance::Elsewhere(connection), service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(authorization: &str) -> Option<Caller> {
        Caller::of(&[(AUTHORIZATION, authorization.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn the_scope_names_the_instance_and_the_service() {
        let authorization = "AWS4-HMAC-SHA256 Credential=gotu-post-otp.3/20261122/us-east-1/secretsmanager/\
            aws4_request, SignedHeaders=host, Signature=00";
        let expected = Caller {
            function: "gotu-post-otp".into(),
            instance: Instance::Here("3".into()),
            service: Service::Secrets,
        };
        assert_eq!(caller(authorization), Some(expected));
    }

    #[test]
    fn other_services_and_unsigned_calls_are_nobody() {
        assert_eq!(
            caller("AWS4-HMAC-SHA256 Credential=f.1/20261122/us-east-1/s3/aws4_request"),
            None
        );
        assert_eq!(caller("Basic x"), None);
        assert_eq!(Caller::of(&HeaderMap::new()), None);
    }
}
