//! Every contract, through its wire format alone: one module for each endpoint.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod goodcity;
mod gotu;
mod posbytz;
mod urbanfits;
