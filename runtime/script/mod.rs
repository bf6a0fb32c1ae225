//! A script with all that it imports, and how its language differs from plain Rhai.

pub mod files;
pub mod imports;
pub mod isolation;
pub(crate) mod language;
pub mod program;
