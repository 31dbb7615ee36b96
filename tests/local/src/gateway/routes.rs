//! The routes of the API.

use std::collections::HashMap;
use template::Function;

/// The functions by route key, such as `POST /otp`. All routes have an exact path.
#[derive(Debug, Default)]
pub(super) struct Routes {
    functions: HashMap<String, String>,
    default: Option<String>,
}

/// The route of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) function: String,
    /// The method and the path, or `$default`.
    pub(super) key: String,
}

impl Routes {
    pub(super) fn new(functions: &[Function]) -> Self {
        let mut routes = Self::default();
        for function in functions {
            for (method, path) in function.routes() {
                routes.functions.insert(format!("{method} {path}"), function.name.clone());
            }
            if function.has_default_route() {
                routes.default = Some(function.name.clone());
            }
        }
        routes
    }

    /// Returns the route of a request with this method and decoded path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<Route> {
        let key = format!("{method} {path}");
        if let Some(function) = self.functions.get(&key) {
            return Some(Route { function: function.clone(), key });
        }
        let function = self.default.clone()?;
        Some(Route { function, key: "$default".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use template::Event;

    fn function(name: &str, event: Event) -> Function {
        Function { name: name.to_owned(), events: vec![event], ..Function::default() }
    }

    #[test]
    fn requests_without_a_route_of_their_own_take_the_default_route() {
        let post = Event::Route { method: "POST".to_owned(), path: "/users".to_owned() };
        let functions = [function("users", post), function("fallback", Event::DefaultRoute)];
        let routes = Routes::new(&functions);
        let found = |method, path| {
            let Route { function, key } = routes.find(method, path).unwrap();
            format!("{function}: {key}")
        };
        assert_eq!(found("POST", "/users"), "users: POST /users");
        for (method, path) in [("GET", "/users"), ("POST", "/users/"), ("POST", "/Users")] {
            assert_eq!(found(method, path), "fallback: $default");
        }
        let [users, _] = functions;
        assert_eq!(Routes::new(&[users]).find("GET", "/users"), None);
    }
}
