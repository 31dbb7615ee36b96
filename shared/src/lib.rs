//! The common crate of all functions.
//!
#![doc = include_str!("../README.md")]

pub mod adapters;
pub mod contracts;
pub mod domain;
pub mod http;
pub mod ports;
pub mod runtime;
pub mod usecases;
pub mod wiring;
