//! Which function a method and path belong to.

use anyhow::bail;
use serde_json::{Map, Value as Json};

use crate::template::{FunctionSpec, RouteSpec};

/// The API's routes.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    default: Option<String>,
}

#[derive(Debug)]
struct Route {
    key: String,
    method: String,
    segments: Vec<Segment>,
    function: String,
}

/// A part of a path; in the order of what wins over what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Exact(String),
    Parameter(String),
    /// `{name+}`: the rest of the path.
    Greedy(String),
}

/// What was found for a request.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) function: String,
    pub(super) route_key: String,
    pub(super) parameters: Map<String, Json>,
}

impl Routes {
    pub(super) fn new(functions: &[FunctionSpec]) -> anyhow::Result<Self> {
        let mut routes = Self::default();
        for function in functions {
            for route in &function.routes {
                match route {
                    RouteSpec::Default => routes.default = Some(function.name.clone()),
                    RouteSpec::Path { method, path } => {
                        let key = format!("{method} {path}");
                        if let Some(other) = routes.routes.iter().find(|other| other.key == key) {
                            bail!(
                                "template.yaml: {key} belongs to both {} and {}",
                                other.function,
                                function.name
                            );
                        }
                        routes.routes.push(Route {
                            key,
                            method: method.clone(),
                            segments: segments(path).map(Segment::read).collect(),
                            function: function.name.clone(),
                        });
                    }
                }
            }
        }
        // Sorted once by precedence, so the first match is the most specific one: an exact segment wins over a
        // parameter, a parameter over a greedy one, and a named method over ANY.
        routes.routes.sort_by(|a, b| {
            (&a.segments, a.method == "ANY").cmp(&(&b.segments, b.method == "ANY"))
        });
        Ok(routes)
    }

    /// The route of a request; `path` is decoded.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Found> {
        let matched = self
            .routes
            .iter()
            .filter(|route| route.method == "ANY" || route.method == method)
            .find_map(|route| Some((route, route.parameters(path)?)));
        match matched {
            Some((route, parameters)) => Some(Found {
                function: route.function.clone(),
                route_key: route.key.clone(),
                parameters,
            }),
            None => self.default.as_ref().map(|function| Found {
                function: function.clone(),
                route_key: "$default".to_owned(),
                parameters: Map::new(),
            }),
        }
    }
}

impl Route {
    /// The path's parameters, if the path is this route's.
    fn parameters(&self, path: &str) -> Option<Map<String, Json>> {
        let mut parameters = Map::new();
        let mut parts = segments(path);
        for segment in &self.segments {
            match segment {
                Segment::Exact(text) => {
                    if parts.next()? != text {
                        return None;
                    }
                }
                Segment::Parameter(name) => {
                    let part = parts.next().filter(|part| !part.is_empty())?;
                    parameters.insert(name.clone(), part.into());
                }
                Segment::Greedy(name) => {
                    let rest = parts.by_ref().collect::<Vec<_>>().join("/");
                    if rest.is_empty() {
                        return None;
                    }
                    parameters.insert(name.clone(), rest.into());
                }
            }
        }
        parts.next().is_none().then_some(parameters)
    }
}

impl Segment {
    fn read(part: &str) -> Self {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Exact(part.to_owned()),
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn routes(list: &[(&str, Option<(&str, &str)>)]) -> Routes {
        let functions: Vec<_> =
            list.iter()
                .map(|(name, route)| FunctionSpec {
                    name: (*name).to_owned(),
                    timeout: Duration::from_secs(1),
                    memory_mb: 128,
                    environment: [].into(),
                    routes: vec![route.map_or(RouteSpec::Default, |(method, path)| {
                        RouteSpec::Path { method: method.to_owned(), path: path.to_owned() }
                    })],
                    streams: Vec::new(),
                    schedules: Vec::new(),
                })
                .collect();
        Routes::new(&functions).unwrap()
    }

    fn found(routes: &Routes, method: &str, path: &str) -> (String, String, String) {
        let found = routes.find(method, path).unwrap();
        (found.function, found.route_key, Json::Object(found.parameters).to_string())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            ("greedy", Some(("ANY", "/users/{rest+}"))),
            ("one", Some(("GET", "/users/{id}"))),
            ("me", Some(("ANY", "/users/me"))),
            ("post-me", Some(("POST", "/users/me"))),
            ("fallback", None),
        ]);
        let is = |method: &str, path: &str, expected: [&str; 3]| {
            let (function, key, parameters) = found(&routes, method, path);
            assert_eq!([&*function, &*key, &*parameters], expected, "{method} {path}");
        };
        is("POST", "/users/me", ["post-me", "POST /users/me", "{}"]);
        is("GET", "/users/me", ["me", "ANY /users/me", "{}"]);
        is("GET", "/users/7", ["one", "GET /users/{id}", r#"{"id":"7"}"#]);
        is("PUT", "/users/7", ["greedy", "ANY /users/{rest+}", r#"{"rest":"7"}"#]);
        is("GET", "/users/7/8", ["greedy", "ANY /users/{rest+}", r#"{"rest":"7/8"}"#]);
        is("GET", "/users", ["fallback", "$default", "{}"]);
        is("GET", "/users/", ["fallback", "$default", "{}"]);
        is("GET", "/nowhere", ["fallback", "$default", "{}"]);
    }

    #[test]
    fn without_a_default_route_nothing_is_found() {
        let routes = routes(&[("f", Some(("POST", "/users")))]);
        assert!(routes.find("GET", "/users").is_none());
        assert!(routes.find("POST", "/users/").is_none());
        assert!(routes.find("POST", "/users").is_some());
    }
}
