//! The clients of shops: the verbs of the function `posbytz-create-client`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

/// The function that makes and changes clients.
pub(crate) const FUNCTION: &str = "posbytz-create-client";

/// What is done with clients. All but `list` invoke the function `posbytz-create-client`, which --function names in an account.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientVerb {
    /// Lists the clients of all shops.
    List,
    /// Makes a client of a shop, and prints its secret, once.
    Create {
        /// The code of the shop.
        #[arg(long)]
        store: String,
        /// The scopes, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "user:read,user:write")]
        scopes: Vec<String>,
    },
    /// Gives a client a second secret, and prints it, once.
    AddSecret { client: String },
    /// Deletes one of the two secrets of a client.
    Retire { client: String, secret: Secret },
    /// Gives a client no more tokens.
    Suspend { client: String },
    /// Gives a client tokens again.
    Activate { client: String },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Secret {
    Old,
    New,
}

impl ClientVerb {
    /// The payload for the function `posbytz-create-client`; `None` for the list, which the function
    /// `people` returns.
    pub(crate) fn payload(&self) -> Option<Value> {
        Some(match self {
            Self::List => return None,
            Self::Create { store, scopes } => json!({"store": store, "scopes": scopes}),
            Self::AddSecret { client } => json!({"clientId": client}),
            Self::Retire { client, secret: Secret::Old } => {
                json!({"clientId": client, "retire": "old"})
            }
            Self::Retire { client, secret: Secret::New } => {
                json!({"clientId": client, "retire": "new"})
            }
            Self::Suspend { client } => json!({"clientId": client, "suspended": true}),
            Self::Activate { client } => json!({"clientId": client, "suspended": false}),
        })
    }
}
