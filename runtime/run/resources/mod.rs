//! The stack and memory of scripts.

mod host;
pub mod memory;
pub mod stack;
