//! A script with all that it imports, and how its language differs from plain Rhai.

pub mod declarations;
pub mod files;
pub mod imports;
pub(crate) mod isolation;
pub(crate) mod language;
mod library;
pub(crate) mod parser;
pub mod program;

pub(crate) use library::Library;
