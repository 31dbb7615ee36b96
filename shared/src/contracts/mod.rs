//! How each product spells things. Nothing here decides anything, and no contract names another.
//!
//! Adding one: a folder with its wire types, refusals, wording, `CONTRACT.md` and a [`Product`]; a
//! line in [`PRODUCTS`]; a function for each route; its routes and rights in `template.yaml`. The
//! house rules (`tests/acceptance`) compare them.

mod envelope;
pub mod goodcity;
pub mod gotu;
pub mod posbytz;
pub mod urbanfits;
mod wording;

use crate::domain::challenge::Purpose;
use crate::domain::code::{CodeFormat, OneTimeCode};
use crate::domain::id::UserId;
use crate::domain::link::LinkToken;
use crate::domain::realm::Realm;
use crate::http::{self, Answer, Origins};
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

/// What functions that serve every contract need of one.
pub struct Product {
    /// The contract's name.
    pub name: &'static str,
    /// Its routes.
    pub routes: &'static [Route],
    /// Whether a path is its own (contracts.md section 6).
    pub owns: fn(&str) -> bool,
    /// Answers a path or a method that it does not have.
    pub unrouted: fn(&Unrouted<'_>) -> Answer,
    /// Answers a preflight for a path that it has.
    pub preflight: fn(&Unrouted<'_>) -> Answer,
    /// Its codes.
    pub code_format: CodeFormat,
    /// The message that carries a code.
    pub code_words: fn(Purpose, &str, &OneTimeCode, Duration) -> Words,
    /// Its mail that carries a link, if it has one.
    pub verify_link: Option<VerifyLink>,
}

/// How a contract mails a link that verifies an address.
pub struct VerifyLink {
    /// The link's path and query behind the API's public URL.
    pub path: fn(&UserId, &LinkToken) -> String,
    /// The mail that carries the whole link, in a language.
    pub words: fn(&str, &str, Duration) -> Words,
}

/// A request that no route serves.
pub struct Unrouted<'a> {
    /// The request.
    pub request: &'a Request,
    /// The methods that its path has; none, if there is no such path.
    pub methods: &'a [&'a str],
    /// The origins whose pages may use a contract's cookies.
    pub origins: &'a Origins,
}

impl Unrouted<'_> {
    /// 405 for a path with other methods, else 404.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        if self.methods.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::METHOD_NOT_ALLOWED }
    }
}

/// Every contract.
pub const PRODUCTS: [Product; 4] =
    [gotu::PRODUCT, goodcity::PRODUCT, urbanfits::PRODUCT, posbytz::PRODUCT];

/// Every route but `$default`.
pub fn routes() -> impl Iterator<Item = Route> {
    PRODUCTS.into_iter().flat_map(|product| product.routes.iter().copied())
}

/// Answers a request that no route serves, in the words of the contract that owns the path: a
/// preflight, a wrong method, or an unknown path. `origins` are those whose pages may use cookies.
#[must_use]
pub fn unrouted(request: &Request, origins: &Origins) -> Answer {
    let path = request.uri().path();
    let Some(product) = PRODUCTS.into_iter().find(|product| (product.owns)(path)) else {
        // Nobody's path: the words of the gateway itself.
        return http::json(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}));
    };
    let here = product.routes.iter().filter(|route| route.path == path);
    let methods: Vec<_> = here.map(|route| route.method).collect();
    let unrouted = Unrouted { request, methods: &methods, origins };
    if methods.is_empty() {
        (product.unrouted)(&unrouted)
    } else if request.method() == Method::OPTIONS {
        (product.preflight)(&unrouted)
    } else {
        let mut answer = (product.unrouted)(&unrouted);
        if let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
            answer.headers_mut().insert(ALLOW, allowed);
        }
        answer
    }
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
    /// Where the API is, as the recipients of mails reach it: what links begin with.
    pub public_url: String,
}

fn product(realm: &Realm) -> Option<Product> {
    PRODUCTS.into_iter().find(|product| product.name == realm.contract())
}

impl MessageWording for AllContracts {
    fn code_format(&self, realm: &Realm) -> Option<CodeFormat> {
        product(realm).map(|product| product.code_format)
    }

    fn code_words(
        &self,
        realm: &Realm,
        purpose: Purpose,
        locale: &str,
        code: &OneTimeCode,
        life: Duration,
    ) -> Option<Words> {
        let mut words = (product(realm)?.code_words)(purpose, locale, code, life);
        if let Some(host) = &self.code_host {
            words.text = format!("{}\n\n@{host} #{}", words.text, code.expose());
        }
        Some(words)
    }

    fn link_words(
        &self,
        realm: &Realm,
        locale: &str,
        user: &UserId,
        link: &LinkToken,
        life: Duration,
    ) -> Option<Words> {
        let VerifyLink { path, words } = product(realm)?.verify_link?;
        let base = self.public_url.trim_end_matches('/');
        Some(words(locale, &format!("{base}{}", path(user, link)), life))
    }
}
