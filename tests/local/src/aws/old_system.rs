//! A stand-in for the system that users move in from. It records the requests with their signatures.

use super::reply::Reply;
use super::webhook::signed;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::sync::{Mutex, PoisonError};

/// The users who have not moved in, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct OldSystem(Mutex<State>);

/// The state, as the admin API shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct State {
    users: Vec<Json>,
    asked: Vec<Json>,
}

impl OldSystem {
    pub(crate) fn state(&self) -> State {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the users, and forgets what was asked.
    pub(crate) fn set(&self, users: Vec<Json>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            State { users, ..State::default() };
    }

    /// Answers with the user of the product and shop that has the identifier.
    pub(super) fn call(&self, headers: &HeaderMap, body: &[u8]) -> Reply {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push(signed(headers, body));
        let request: Json = serde_json::from_slice(body).unwrap_or_default();
        let is_same = |user: &Json, name: &str| user.get(name) == request.get(name);
        let has = |user: &Json| {
            let known = user.get("identifiers").and_then(Json::as_array).into_iter().flatten();
            let identifier = request.get("identifier");
            known.into_iter().any(|known| {
                ["kind", "value"].into_iter().all(|name| {
                    known.get(name) == identifier.and_then(|identifier| identifier.get(name))
                })
            })
        };
        let mut users = state.users.iter();
        let user =
            users.find(|user| is_same(user, "contract") && is_same(user, "store") && has(user));
        match user {
            Some(user) => Reply::new(StatusCode::OK, "application/json", user.to_string()),
            None => Reply::new(
                StatusCode::NOT_FOUND,
                "application/json",
                json!({"error": "unknown"}).to_string(),
            ),
        }
    }
}
