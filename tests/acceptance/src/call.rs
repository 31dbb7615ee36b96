//! A request to an endpoint, which is named by its function.

use crate::{Reply, TestStack};
use latchkey::contracts::{self, Route};
use reqwest::{Body, Client, Method};
use serde_json::Value;
use std::future::{Future, IntoFuture};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

/// The route of a function; the first one if it has several.
#[must_use]
pub fn route(function: &str) -> Route {
    let mut routes = contracts::routes();
    let found = routes.find(|route| route.function == function);
    found.unwrap_or_else(|| panic!("no contract has a route of {function}"))
}

/// A request that is sent when it is awaited.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'a> {
    stack: &'a TestStack,
    method: Method,
    /// The path, and the query behind it.
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Body,
    client: Option<Client>,
}

/// An HTTP client that sends from this loopback address, and keeps its connections.
#[must_use]
pub fn client_at(source: Ipv4Addr) -> Client {
    Client::builder().local_address(IpAddr::V4(source)).build().unwrap()
}

impl<'a> Call<'a> {
    pub(crate) fn new(stack: &'a TestStack, method: &str, target: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let target = target.to_owned();
        Self { stack, method, target, headers: Vec::new(), body: Body::default(), client: None }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds headers.
    pub fn headers(mut self, headers: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        self.headers.extend(headers.iter().map(owned));
        self
    }

    /// Adds an access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body, without a content type.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body and its content type.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// Sets an encoded form as the body, and its content type.
    pub fn form(self, body: impl Into<Body>) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Adds a query.
    pub fn query(mut self, query: &str) -> Self {
        self.target = format!("{}?{query}", self.target);
        self
    }

    /// Puts a prefix before the path.
    pub fn under(mut self, prefix: &str) -> Self {
        self.target = format!("{prefix}{}", self.target);
        self
    }

    /// Uses another method than the route's.
    pub fn with_method(mut self, method: &str) -> Self {
        self.method = Method::from_bytes(method.as_bytes()).unwrap();
        self
    }

    /// Sends from this loopback address, which counts as another source.
    pub fn from(self, source: Ipv4Addr) -> Self {
        self.through(&client_at(source))
    }

    /// Sends through this client.
    pub fn through(mut self, client: &Client) -> Self {
        self.client = Some(client.clone());
        self
    }

    async fn send(self) -> Reply {
        let client = self.client.unwrap_or_else(|| self.stack.client().clone());
        let url = format!("{}{}", self.stack.url(), self.target);
        let mut request = client.request(self.method, url).body(self.body);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.text().await.unwrap() }
    }
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
