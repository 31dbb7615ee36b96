//! The house rules of the project, and what `cargo xtask` does for its authors.
//!
//! The rules are tests (`tests/*.rs`, one file a subject). They read the files of the project as
//! text, so that this crate needs nothing of the product and builds in seconds. A rule that needs
//! the types of the common crate is a test of that crate (`shared/tests`).
//!
//! An endpoint is declared once, in `template.yaml`. [`sync`] writes the mechanical parts that
//! follow from the declaration; a rule fails when one of them is not current.

pub mod declarations;
pub mod events;
pub mod findings;
pub mod project;
pub mod rights;
pub mod stacks;
pub mod sync;
pub mod text;
