//! The page to try requests: Swagger UI over the documents that the API publishes.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use std::collections::BTreeSet;
use std::sync::Arc;
use template::Function;
use utoipa_swagger_ui::{Config, Url, serve};

/// What the page may load and do: its own files and the API. Swagger UI writes styles into its elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'self'; form-action 'none'; \
    frame-ancestors 'none'";

/// The headers of every file.
const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-cache"),
];

/// The names and the addresses of the documents.
type Documents = Vec<(String, String)>;

/// Returns the routes of the page and its files.
pub(crate) fn router(functions: &[Function]) -> Router {
    Router::new()
        .route("/openapi", get(async || Redirect::permanent("/openapi/")))
        .route("/openapi/", get(page))
        .route("/openapi/ui/{file}", get(file))
        .with_state(Arc::new(documents(functions)))
}

/// The documents of the contracts that have routes.
fn documents(functions: &[Function]) -> Documents {
    let with_routes = functions.iter().filter(|function| function.routes().next().is_some());
    let contracts: BTreeSet<_> =
        with_routes.filter_map(|function| Some(function.name.split_once('-')?.0)).collect();
    let document = |name: &str| (name.to_owned(), format!("/openapi/{name}.json"));
    contracts.into_iter().map(document).collect()
}

async fn page(state: State<Arc<Documents>>) -> Response {
    file(state, Path("index.html".to_owned())).await
}

async fn file(State(documents): State<Arc<Documents>>, Path(name): Path<String>) -> Response {
    let urls = documents.iter().map(|(name, url)| Url::new(name, url));
    let config = Config::new(urls).validator_url("none").try_it_out_enabled(true);
    let Ok(Some(file)) = serve(&name, Arc::new(config)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes = match name.as_str() {
        // The page is one level above its files.
        "index.html" => with_folder(&file.bytes),
        _ => file.bytes.into_owned(),
    };
    (HEADERS, [(CONTENT_TYPE, file.content_type)], bytes).into_response()
}

/// Returns the page with the folder of its files.
fn with_folder(html: &[u8]) -> Vec<u8> {
    let html =
        String::from_utf8_lossy(html).replace("<head>", "<head>\n    <base href=\"/openapi/ui/\">");
    html.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use template::Template;

    #[test]
    fn each_contract_has_its_document() {
        let documents = documents(&Template::load().unwrap().functions);
        let names: Vec<_> = documents.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["goodcity", "gotu", "posbytz", "urbanfits"]);
        let folder = template::project_root().join("shared/docs/openapi");
        for (name, url) in &documents {
            assert!(folder.join(format!("{name}.json")).exists());
            assert_eq!(*url, format!("/openapi/{name}.json"));
        }
    }

    #[tokio::test]
    async fn the_page_and_its_files_are_served() {
        let state = || State(Arc::new(vec![("gotu".to_owned(), "/openapi/gotu.json".to_owned())]));
        let text = async |response: Response| {
            let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        let html = text(page(state()).await).await;
        assert!(html.contains("<base href=\"/openapi/ui/\">"), "{html}");
        for name in html.split('"').filter(|name| name.starts_with("./")) {
            let name = name.trim_start_matches("./").to_owned();
            assert_eq!(file(state(), Path(name.clone())).await.status(), StatusCode::OK, "{name}");
        }
        let script = text(file(state(), Path("swagger-initializer.js".to_owned())).await).await;
        assert!(script.contains("/openapi/gotu.json"), "{script}");
        let unknown = file(state(), Path("other.js".to_owned())).await;
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    }
}
