//! Replies of AWS services, and the errors that all services have.

use super::Service;
use super::dynamodb;
use crate::deployed::ProxiedResponse;
use crate::random;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

/// A reply of a service.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The consumed capacity, where the service reports it.
    pub(crate) units: Option<f64>,
}

impl Reply {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let headers =
            [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        Self { status, headers, body: body.into(), units: None }
    }

    /// Returns a reply in AWS JSON 1.1.
    pub(super) fn json(status: StatusCode, body: &Json) -> Self {
        Self::new(status, "application/x-amz-json-1.1", body.to_string())
    }

    /// Returns an error in AWS JSON.
    pub(super) fn error(status: StatusCode, kind: &str, message: &str) -> Self {
        Self::json(status, &json!({ "__type": kind, "message": message }))
    }

    /// Returns an error of the client in AWS JSON.
    pub(super) fn bad_request(kind: &str, message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, kind, message)
    }

    /// Returns the error for an operation that the stack does not support.
    pub(super) fn unknown_operation(operation: &str) -> Self {
        Self::bad_request(
            "UnknownOperationException",
            &format!("unsupported operation {operation} in the local stack"),
        )
    }

    /// Returns an error of SES v2, which has its kind in a header.
    pub(crate) fn rest_error(status: StatusCode, kind: &'static str, message: &str) -> Self {
        let mut reply =
            Self::new(status, "application/json", json!({ "message": message }).to_string());
        reply.headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        reply
    }

    /// Returns an error of SNS, which is XML.
    pub(super) fn xml_error(status: StatusCode, code: &str, message: &str) -> Self {
        let party = if status.is_server_error() { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{party}</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            random::uuid()
        );
        Self::new(status, "text/xml", body)
    }

    /// Returns the error for a call that has no caller or goes to another service.
    pub(super) fn missing_credentials() -> Self {
        Self::error(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "the call has no signature for a service of the local stack",
        )
    }

    /// Returns the reply of the fault mode `error`: the service is broken.
    pub(super) fn fault_error(service: Service) -> Self {
        const MESSAGE: &str = "a requested fault";
        let broken = StatusCode::INTERNAL_SERVER_ERROR;
        match service {
            Service::DynamoDb => {
                Self::error(broken, "com.amazonaws.dynamodb.v20120810#InternalServerError", MESSAGE)
            }
            Service::Sns => Self::xml_error(broken, "InternalError", MESSAGE),
            Service::Ses => Self::rest_error(broken, "InternalServiceErrorException", MESSAGE),
            Service::Events => Self::error(broken, "InternalException", MESSAGE),
            Service::Secrets => Self::error(broken, "InternalServiceError", MESSAGE),
            Service::SmsVoice => Self::error(
                broken,
                "com.amazonaws.pinpointsmsvoicev2#InternalServerException",
                MESSAGE,
            ),
            Service::Webhook | Service::OldSystem => super::webhook::status(broken),
        }
    }

    /// Returns the reply of the fault mode `throttle`: the service wants fewer calls.
    pub(super) fn fault_throttle(service: Service) -> Self {
        const MESSAGE: &str = "Rate exceeded";
        match service {
            Service::DynamoDb => Self::bad_request(
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                MESSAGE,
            ),
            Service::Sns => Self::xml_error(StatusCode::BAD_REQUEST, "Throttling", MESSAGE),
            Service::Ses => {
                Self::rest_error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", MESSAGE)
            }
            Service::Events | Service::Secrets | Service::SmsVoice => {
                Self::bad_request("ThrottlingException", MESSAGE)
            }
            Service::Webhook | Service::OldSystem => {
                super::webhook::status(StatusCode::TOO_MANY_REQUESTS)
            }
        }
    }
}

impl From<ProxiedResponse> for Reply {
    fn from(response: ProxiedResponse) -> Self {
        let ProxiedResponse { status, headers, body } = response;
        // DynamoDB reports it if the function asked for it.
        let units = dynamodb::consumed(&body);
        Self { status, headers, body, units }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut headers = self.headers;
        if let Ok(id) = random::uuid().parse() {
            headers.insert("x-amzn-requestid", id);
        }
        (self.status, headers, self.body).into_response()
    }
}
