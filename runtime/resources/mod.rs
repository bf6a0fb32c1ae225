//! What a script uses of the machine: stack and memory.

mod host;
pub mod memory;
pub mod stack;
