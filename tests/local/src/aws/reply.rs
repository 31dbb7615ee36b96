//! Answers of AWS services, and the errors that they have in common.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use super::caller::Service;
use super::dynamodb;
use crate::deployed::Passed;
use crate::random;

/// An answer and what it says about consumed capacity.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) units: Option<f64>,
}

impl Reply {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let headers =
            [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        Self { status, headers, body: body.into(), units: None }
    }

    /// A JSON answer of a service that speaks AWS JSON 1.1.
    pub(super) fn json(status: StatusCode, body: &Json) -> Self {
        Self::new(status, "application/x-amz-json-1.1", body.to_string())
    }

    /// An error of a service that speaks AWS JSON.
    pub(super) fn error(status: StatusCode, kind: &str, message: &str) -> Self {
        Self::json(status, &json!({ "__type": kind, "message": message }))
    }

    /// A client's mistake in AWS JSON.
    pub(super) fn bad_request(kind: &str, message: &str) -> Self {
        Self::error(StatusCode::BAD_REQUEST, kind, message)
    }

    /// An operation that the stand-in does not have.
    pub(super) fn unknown_operation(operation: &str) -> Self {
        Self::bad_request(
            "UnknownOperationException",
            &format!("the local stack does not know the operation {operation}"),
        )
    }

    /// An error of SES v2, which names the kind in a header.
    pub(super) fn rest_error(status: StatusCode, kind: &'static str, message: &str) -> Self {
        let mut reply =
            Self::new(status, "application/json", json!({ "message": message }).to_string());
        reply.headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        reply
    }

    /// An error of SNS, which speaks XML.
    pub(super) fn xml_error(status: StatusCode, code: &str, message: &str) -> Self {
        let party = if status.is_server_error() { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{party}</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            random::uuid()
        );
        Self::new(status, "text/xml", body)
    }

    /// For a call that no function can have made.
    pub(super) fn missing_credentials() -> Self {
        Self::error(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "the call is not signed for a service that the local stack has",
        )
    }

    /// The fault mode `error`: the service is broken.
    pub(super) fn fault_error(service: Service) -> Self {
        const MESSAGE: &str = "a fault that was asked for";
        let broken = StatusCode::INTERNAL_SERVER_ERROR;
        match service {
            Service::DynamoDb => {
                Self::error(broken, "com.amazonaws.dynamodb.v20120810#InternalServerError", MESSAGE)
            }
            Service::Sns => Self::xml_error(broken, "InternalError", MESSAGE),
            Service::Ses => Self::rest_error(broken, "InternalServiceErrorException", MESSAGE),
            Service::Events => Self::error(broken, "InternalException", MESSAGE),
            Service::Secrets => Self::error(broken, "InternalServiceError", MESSAGE),
        }
    }

    /// The fault mode `throttle`: the service wants fewer calls.
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
            Service::Events | Service::Secrets => Self::bad_request("ThrottlingException", MESSAGE),
        }
    }
}

impl From<Passed> for Reply {
    fn from(passed: Passed) -> Self {
        let Passed { status, headers, body } = passed;
        // DynamoDB says what a call consumed where the function asked for it.
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
