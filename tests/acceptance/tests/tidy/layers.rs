//! Which way dependencies point (style: domain ← ports ← usecases; adapters, contracts and http
//! around them).

use super::{functions, read, sources};
use latchkey::contracts::routes;

/// Everything before the unit tests, without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn forbid(folder: &str, words: &[&str]) {
    for (name, text) in sources(&format!("shared/src/{folder}")) {
        for word in words {
            assert!(!code(&text).contains(word), "{name} must not name {word}");
        }
    }
}

#[test]
fn arrows_point_inward() {
    let vendors = ["aws_", "lambda_", "jsonwebtoken", "argon2"];
    let outward = ["crate::adapters", "crate::http", "crate::contracts", "crate::runtime"];
    for folder in ["domain", "ports", "usecases"] {
        forbid(folder, &vendors);
        forbid(folder, &outward);
        forbid(folder, &["serde", "SystemTime", "Instant::", "std::env"]);
    }
    forbid("domain", &["crate::ports", "crate::usecases", "async "]);
    forbid("ports", &["crate::usecases"]);
    forbid("adapters", &["crate::usecases", "crate::http", "crate::contracts", "lambda_http"]);
    forbid("http", &["crate::ports", "crate::usecases", "crate::adapters", "crate::contracts"]);
    forbid("contracts", &["crate::adapters", "crate::runtime", "aws_", "jsonwebtoken"]);
    forbid("runtime", &["crate::contracts"]);
}

#[test]
fn the_core_names_no_contract() {
    for folder in ["domain", "ports", "usecases", "adapters", "http", "runtime"] {
        forbid(folder, &["gotu", "Gotu", "goodcity", "GoodCity", "urbanfits", "posbytz"]);
    }
}

#[test]
fn the_environment_is_read_in_one_place() {
    for (name, text) in sources("shared/src").into_iter().chain(sources("functions")) {
        let reads = code(&text).contains("env::var");
        assert_eq!(reads, name == "shared/src/runtime/settings.rs", "{name}");
    }
}

#[test]
fn functions_are_thin_and_say_their_route_first() {
    for function in functions() {
        let endpoint = read(&format!("functions/{function}/src/lib.rs"));
        let lines = code(&endpoint).lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 60, "{function}/src/lib.rs has {lines} lines of code");
        let main = code(&read(&format!("functions/{function}/src/main.rs")));
        for word in ["StatusCode", "json!", "unwrap", "match "] {
            assert!(!main.contains(word), "{function}/src/main.rs must only wire: {word}");
        }
        let first = endpoint.lines().next().unwrap();
        // A function that serves several paths says the first.
        if let Some(route) = routes().find(|route| route.function == function) {
            let said = format!("`{} {}`", route.method, route.path);
            assert!(first.contains(&said), "{function}: {first} does not say {said}");
        }
    }
}
