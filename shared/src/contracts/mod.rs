//! The contracts: how each product's API reads requests and writes responses.
//!
//! A contract decides nothing and names no other contract. `shared/docs/contributing.md` says how to
//! add one.

pub mod api;
mod delivery_events;
mod envelope;
pub mod goodcity;
pub mod gotu;
mod imports;
#[cfg(test)]
mod lint;
mod mail;
mod messages;
mod operator;
mod operator_events;
mod pages;
mod people;
mod people_delivery;
pub mod posbytz;
mod templates;
mod test_numbers;
mod texts;
mod tokens;
pub mod urbanfits;

pub use delivery_events::LatchkeyEvents;
pub use messages::CodeOf;
pub use operator::{
    OutboxTask, UnknownPart, UnknownRecipient, UnknownTask, lifted_recipient, sweep_part,
};
pub use people::{PeopleRequest, PeopleRequestError};
pub use templates::ContractTemplates;
pub use test_numbers::checked_test_numbers;
pub use texts::{Language, Voice};

use crate::domain::challenge::Purpose;
use crate::domain::id::UserId;
use crate::domain::link::LinkToken;
use crate::http::{self, AllowedOrigins, Cors, CorsPolicy, Request, Response};
use crate::ports::{MessageContent, PortError, chain};
use crate::usecases::{Failure, NoRefusal, Profile};
use lambda_http::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use lambda_http::http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A route of the API and the function that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: &'static str,
    /// The path, exactly as requested.
    pub path: &'static str,
    /// The name of the function and of its binary.
    pub function: &'static str,
}

/// One contract, for the functions that serve all of them: the fallback and the relay.
pub struct Contract {
    pub profile: &'static Profile,
    pub routes: &'static [Route],
    /// What the endpoints accept and answer.
    pub api: &'static api::Api,
    /// The path prefixes that the contract owns, in whole segments. The longest prefix of a path
    /// wins. A test requires that no two contracts have the same prefix.
    pub paths: &'static [&'static str],
    pub cors: CorsPolicy,
    /// The response to an unknown path (404) or a wrong method (405).
    pub not_found: fn(&UnmatchedRequest<'_>) -> Response,
    /// The response to a preflight for a path that exists.
    pub preflight: fn(&UnmatchedRequest<'_>) -> Response,
    /// The name of the product in its texts, unless its brand has another.
    pub product: &'static str,
    /// The languages of the product, the default first.
    pub languages: fn() -> &'static [Language],
    /// Writes the message with a code.
    pub code_message: fn(&Voice<'_>, &CodeOf<'_>) -> MessageContent,
    /// The mail with a code that links to the page which asks for it, if the contract has such a page.
    pub code_page: Option<CodePage>,
    /// Writes the message to a recipient that asks to sign up and has an account, if the contract sends
    /// one.
    pub account_notice: Option<fn(&Voice<'_>) -> MessageContent>,
    /// The mail with a link that verifies an address, if the contract sends one.
    pub verify_link: Option<LinkTemplate>,
}

/// How a contract mails a code together with a link to the page that asks for it. The link contains
/// neither the code nor a handle: a person who did not ask for the code cannot use it by mistake.
pub struct CodePage {
    /// The purpose of the codes that the page asks for.
    pub purpose: Purpose,
    /// The path of the page after the API's public URL.
    pub path: &'static str,
    /// Writes the mail with the whole link.
    pub message: fn(&Voice<'_>, &CodeOf<'_>, &str) -> MessageContent,
}

/// How a contract mails a link that verifies an address.
pub struct LinkTemplate {
    /// The link's path and query after the API's public URL.
    pub path: fn(&UserId, &LinkToken) -> String,
    /// Writes the mail with the whole link.
    pub message: fn(&Voice<'_>, &str, Duration) -> MessageContent,
}

/// A request that no route serves.
pub struct UnmatchedRequest<'a> {
    pub request: &'a Request,
    /// The methods of the path; empty if the path does not exist.
    pub methods: &'a [&'a str],
    /// The origins whose pages may use the contract's cookies.
    pub origins: &'a AllowedOrigins,
}

/// The origins whose pages may use the cookies of each contract, by the contract's name.
pub type OriginsByContract = BTreeMap<&'static str, AllowedOrigins>;

impl UnmatchedRequest<'_> {
    /// 405 for a path with other methods, else 404.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        if self.methods.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::METHOD_NOT_ALLOWED }
    }
}

/// Every contract.
pub const CONTRACTS: [Contract; 4] =
    [gotu::CONTRACT, goodcity::CONTRACT, urbanfits::CONTRACT, posbytz::CONTRACT];

/// Every route except `$default`.
pub fn routes() -> impl Iterator<Item = Route> {
    CONTRACTS.into_iter().flat_map(|contract| contract.routes.iter().copied())
}

/// Returns whether `path` begins with the whole segments of `prefix`.
fn has_prefix(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The length of the longest prefix of `path`.
fn longest_prefix(path: &str, prefixes: &[&str]) -> Option<usize> {
    prefixes.iter().filter(|prefix| has_prefix(path, prefix)).map(|prefix| prefix.len()).max()
}

/// The contract that owns a path: the one with the longest prefix of it.
fn owner(path: &str) -> Option<Contract> {
    let length = |contract: &Contract| longest_prefix(path, contract.paths);
    let owners = CONTRACTS.into_iter().filter_map(|contract| Some((length(&contract)?, contract)));
    owners.max_by_key(|(length, _)| *length).map(|(_, contract)| contract)
}

/// The response to a request that no route serves (a preflight, a wrong method, an unknown path), in
/// the format of the contract that owns the path.
#[must_use]
pub fn unmatched(request: &Request, origins: &OriginsByContract) -> Response {
    let path = request.uri().path();
    let Some(contract) = owner(path) else {
        // API Gateway's own format.
        return http::json(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}));
    };
    let routes = contract.routes.iter().filter(|route| route.path == path);
    let methods: Vec<_> = routes.map(|route| route.method).collect();
    let origins = origins.get(contract.profile.name).cloned().unwrap_or_default();
    let cors = Cors { policy: contract.cors, origins };
    let unmatched = UnmatchedRequest { request, methods: &methods, origins: &cors.origins };
    if !methods.is_empty() && request.method() == Method::OPTIONS {
        return cors.apply(request, (contract.preflight)(&unmatched));
    }
    let mut response = (contract.not_found)(&unmatched);
    if let Ok(methods) = HeaderValue::from_str(&methods.join(", "))
        && !methods.is_empty()
    {
        response.headers_mut().insert(ALLOW, methods);
    }
    cors.apply(request, response)
}

/// The response to `GET /openapi/<contract>.json`: the OpenAPI document of a contract, which any page may
/// read. `None` for every other request.
#[must_use]
pub fn document(request: &Request) -> Option<Response> {
    let name = request.uri().path().strip_prefix("/openapi/")?.strip_suffix(".json")?;
    let contract = CONTRACTS.into_iter().find(|contract| contract.profile.name == name)?;
    if request.method() != Method::GET {
        return None;
    }
    let mut response = http::text(StatusCode::OK, contract.api.document);
    for (header, value) in [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ] {
        response.headers_mut().insert(header, HeaderValue::from_static(value));
    }
    Some(response)
}

/// The refusal of a function for every contract, in API Gateway's own format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalError;

impl http::Refusal for InternalError {
    const INTERNAL: Self = Self;
    const FOREIGN_PAGE: Option<Self> = None;
    const CORS: CorsPolicy = CorsPolicy::NoOrigin;

    fn into_response(self, _: &Request) -> Response {
        let body = json!({"message": "Internal Server Error"});
        http::json(StatusCode::INTERNAL_SERVER_ERROR, &body)
    }
}

/// What the refusals of every contract have in common, whichever endpoint refuses.
pub trait ContractRefusal: http::Refusal + From<PortError> {
    /// Returns the refusal of a request that reached a limit.
    fn too_many(retry_after: Duration) -> Self;
}

/// Logs the failure of a port and returns the contract's internal error.
fn internal_error<R: http::Refusal>(error: &PortError) -> R {
    tracing::error!(error = chain(error), "failed to serve a request");
    R::INTERNAL
}

/// Turns the failure of a use case into a refusal of the contract.
pub trait OrRefuse<T, R> {
    /// Returns the result. The endpoint chooses the `refusal` for each reason of the use case;
    /// limits and failures of ports look the same at every endpoint.
    fn or_refuse<C: ContractRefusal>(self, refusal: impl FnOnce(R) -> C) -> Result<T, C>;
}

impl<T, R> OrRefuse<T, R> for Result<T, Failure<R>> {
    fn or_refuse<C: ContractRefusal>(self, refusal: impl FnOnce(R) -> C) -> Result<T, C> {
        self.map_err(|failure| match failure {
            Failure::Refused(reason) => refusal(reason),
            Failure::TooMany { retry_after } => C::too_many(retry_after),
            Failure::Internal(error) => error.into(),
        })
    }
}

/// The refusal of a use case that refuses nothing, for [`OrRefuse::or_refuse`].
#[must_use]
pub const fn never<C>(never: NoRefusal) -> C {
    match never {}
}

/// Returns the names of the contracts.
#[must_use]
pub fn names() -> [&'static str; CONTRACTS.len()] {
    CONTRACTS.map(|contract| contract.profile.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use lambda_http::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};

    #[test]
    fn no_two_contracts_own_the_same_prefix() {
        let mut owners = BTreeMap::new();
        for contract in CONTRACTS {
            for prefix in contract.paths {
                assert!(prefix.starts_with('/') && !prefix.ends_with('/'), "{prefix}");
                let earlier = owners.insert(*prefix, contract.profile.name);
                assert_eq!(earlier, None, "{prefix} has two owners");
            }
        }
    }

    #[test]
    fn every_route_is_below_a_prefix_of_its_contract() {
        for contract in CONTRACTS {
            for route in contract.routes {
                let owner = owner(route.path).map(|owner| owner.profile.name);
                let advice = "add a prefix to `paths` in the contract's mod.rs";
                assert_eq!(owner, Some(contract.profile.name), "{}: {advice}", route.path);
            }
        }
    }

    #[test]
    fn an_origin_of_one_contract_is_none_of_another_contract() {
        let page = "https://shop.example";
        let mut request = Request::new(Body::Empty);
        *request.uri_mut() = "/auth/unknown".parse().unwrap();
        request.headers_mut().insert(ORIGIN, HeaderValue::from_static(page));
        let reader = |contract| {
            let origins = BTreeMap::from([(contract, AllowedOrigins::parse(page))]);
            let response = unmatched(&request, &origins);
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        assert_eq!(reader("urbanfits").unwrap(), page);
        assert_eq!(reader("gotu"), None);
    }

    #[test]
    fn the_longest_prefix_of_a_path_counts() {
        let prefixes = ["/api", "/api/auth"];
        assert_eq!(longest_prefix("/api/auth/x", &prefixes), Some("/api/auth".len()));
        assert_eq!(longest_prefix("/api/authors", &prefixes), Some("/api".len()));
        assert_eq!(longest_prefix("/apis", &prefixes), None);
    }

    #[test]
    fn prefixes_are_whole_segments() {
        let name = |path| owner(path).map(|contract| contract.profile.name);
        for path in ["/auth", "/auth/signup", "/api/auth/x", "/api/auth", "/user/get/me"] {
            assert_eq!(name(path), Some("urbanfits"), "{path}");
        }
        assert_eq!(name("/api/v1/auth/verify"), Some("goodcity"));
        assert_eq!(name("/users"), Some("gotu"));
        for path in ["/authority", "/api", "/", "/userse", "/api/v12"] {
            assert_eq!(name(path), None, "{path}");
        }
    }
}
