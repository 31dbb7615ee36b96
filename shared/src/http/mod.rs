//! HTTP over `lambda_http`, for every contract: bodies, callers, pages, a front, responses,
//! refusals.

mod body;
mod brand;
mod caller;
mod cookies;
mod cors;
mod front;
mod kept_answer;
mod languages;
mod page;
mod refusal;
mod response;

pub use body::{BodyError, MAX_BODY_BYTES, form_or_json_object, json_object};
pub use brand::{Brand, BrandColors, BrandLinks, Color};
pub use caller::{bearer, cookie, header, header_start, header_text, source, source_address};
pub use cookies::CookiePolicy;
pub use cors::{AllowedOrigins, Cors, CorsPolicy, preflight};
pub use front::{Front, FrontError, Passage};
pub use kept_answer::{KeyProblem, Successor};
pub(crate) use kept_answer::{Piece, answer_of_text, answer_text, pieces};
pub use lambda_http::Request;
pub use lambda_http::http::StatusCode;
pub use languages::{locale, nearest};
pub use page::{PageUrl, escape, hash_source, page};
pub use refusal::Refusal;
pub use response::{Response, empty, json, retry_after, secured, text};
