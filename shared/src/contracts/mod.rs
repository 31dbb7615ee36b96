//! How each product spells things. Nothing here decides anything, and no contract names another.
//!
//! Adding one: a folder with its wire types, refusals, wording and `CONTRACT.md`; a line in
//! [`ROUTES`], [`unrouted`] and [`AllContracts`]; a function for each route;
//! its routes and rights in `template.yaml`. The house rules (`tests/acceptance`) compare them.

pub mod gotu;

use crate::domain::challenge::Purpose;
use crate::domain::code::{CodeFormat, OneTimeCode};
use crate::domain::realm::Realm;
use crate::http::{self, Answer};
use crate::ports::{MessageWording, Words};
use lambda_http::Request;
use lambda_http::http::header::ALLOW;
use lambda_http::http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use std::time::Duration;

/// A route of the API and the function that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, exactly as requested.
    pub path: &'static str,
    /// The function: crate, binary and `BuildProperties.Binary`.
    pub function: &'static str,
}

/// Every route but `$default`.
pub const ROUTES: &[&[Route]] = &[gotu::ROUTES];

/// The methods that `path` is served with.
fn methods(path: &str) -> Vec<&'static str> {
    let routes = ROUTES.iter().copied().flatten();
    routes.filter(|route| route.path == path).map(|route| route.method).collect()
}

/// Answers a request that no route serves, in the words of the contract that owns the path: a
/// preflight, a wrong method, or an unknown path.
#[must_use]
pub fn unrouted(request: &Request) -> Answer {
    let path = request.uri().path();
    let methods = methods(path);
    if request.method() == Method::OPTIONS && !methods.is_empty() && gotu::owns(path) {
        return gotu::preflight(&methods);
    }
    let status = match methods.as_slice() {
        [] => StatusCode::NOT_FOUND,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let mut answer = if gotu::owns(path) {
        gotu::unrouted(status)
    } else {
        // Nobody's path: the words of the gateway itself.
        http::json(status, &json!({"message": "Not Found"}))
    };
    if status == StatusCode::METHOD_NOT_ALLOWED
        && let Ok(allowed) = HeaderValue::from_str(&methods.join(", "))
    {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

/// The answer of a function that serves every contract, when it breaks.
#[must_use]
pub fn internal_error() -> Answer {
    let body = json!({"message": "Internal Server Error"});
    http::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// The wording of every contract, for the relay.
#[derive(Debug, Default)]
pub struct AllContracts {
    /// The host whose page the code is for; with it a text's last line binds the code to it
    /// (`@host #code`), and the phone offers it on that page alone.
    pub code_host: Option<String>,
}

impl MessageWording for AllContracts {
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat> {
        match realm.contract() {
            gotu::NAME => Some(gotu::CODE_FORMAT),
            _ => None,
        }
    }

    fn code_words(
        &self,
        realm: &Realm,
        purpose: Purpose,
        locale: &str,
        code: &OneTimeCode,
        life: Duration,
    ) -> Option<Words> {
        let mut words = match realm.contract() {
            gotu::NAME => gotu::code_words(purpose, locale, code, life),
            _ => return None,
        };
        if let Some(host) = &self.code_host {
            words.text = format!("{}\n\n@{host} #{}", words.text, code.expose());
        }
        Some(words)
    }
}
