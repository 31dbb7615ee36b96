//! The console: the page of the local stack. Its files are a part of the program.

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// A file of the console: its name, its content type and its bytes.
type File = (&'static str, &'static str, &'static [u8]);

/// A file of the folder `console` with its content type.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        ($name, $content_type, include_bytes!(concat!("../console/", $name)).as_slice())
    };
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page, which loads all other files.
const PAGE: File = file!("index.html", HTML);

/// The files that the page loads.
const FILES: [File; 13] = [
    file!("console.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("dom.js", SCRIPT),
    file!("events.js", SCRIPT),
    file!("faults.js", SCRIPT),
    file!("inbox.js", SCRIPT),
    file!("limits.js", SCRIPT),
    file!("list.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("people.js", SCRIPT),
    file!("requests.js", SCRIPT),
    file!("store.js", SCRIPT),
    file!("tables.js", SCRIPT),
];

/// What the page may load and do: its own files, the admin API, and the mails in frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Returns the routes of the page and its files.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/_local", get(page))
        .route("/_local/", get(page))
        .route("/_local/console/{file}", get(file))
}

/// Shows the page to a browser that opens `/`. All other requests go to the router.
pub(crate) fn in_front_of(router: Router) -> Router {
    router.layer(middleware::from_fn(show_to_browsers))
}

async fn show_to_browsers(request: Request, next: Next) -> Response {
    let opens = request.method() == Method::GET && request.uri().path() == "/";
    if opens && accepts_html(request.headers()) {
        return page().await;
    }
    next.run(request).await
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).into_iter();
    values.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

async fn page() -> Response {
    serve(&PAGE)
}

async fn file(Path(name): Path<String>) -> Response {
    FILES
        .iter()
        .find(|(known, ..)| *known == name)
        .map_or_else(|| StatusCode::NOT_FOUND.into_response(), serve)
}

fn serve((_, content_type, bytes): &File) -> Response {
    const HEADERS: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
        // The answer to `GET /` is another one for clients that do not ask for HTML.
        (VARY, "accept"),
    ];
    ([(CONTENT_TYPE, *content_type)], HEADERS, *bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The size of the whole console in bytes that it must not exceed.
    const MOST_BYTES: usize = 150_000;

    #[test]
    fn every_file_of_the_folder_is_served_and_small() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/console");
        let found = std::fs::read_dir(folder).unwrap();
        let found: BTreeSet<_> =
            found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served = FILES.iter().chain([&PAGE]);
        let names: BTreeSet<_> = served.clone().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(names, found);
        let bytes = served.map(|(.., bytes)| bytes.len()).sum::<usize>();
        assert!(bytes < MOST_BYTES, "{bytes} bytes");
    }

    #[test]
    fn the_page_has_no_script_and_no_style_of_its_own() {
        let (.., html) = PAGE;
        let html = std::str::from_utf8(html).unwrap();
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!html.contains(inline), "{inline}");
        }
        let scripts = html.matches("<script").count();
        assert_eq!(html.matches("src=\"/_local/console/main.js\"></script>").count(), scripts);
    }

    #[test]
    fn no_script_makes_markup_of_data() {
        for (name, _, bytes) in FILES {
            let text = std::str::from_utf8(bytes).unwrap();
            for risky in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
            {
                assert!(!text.contains(risky), "{name}: {risky}");
            }
        }
    }

    #[test]
    fn a_browser_accepts_html() {
        let accepting = |value: &'static str| {
            accepts_html(&HeaderMap::from_iter([(ACCEPT, value.parse().unwrap())]))
        };
        assert!(accepting("text/html,application/xhtml+xml,*/*;q=0.8"));
        assert!(!accepting("*/*") && !accepting("application/json"));
        assert!(!accepts_html(&HeaderMap::new()));
    }
}
