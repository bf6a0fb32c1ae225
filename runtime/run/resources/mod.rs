//! The stack and memory of scripts.

mod host;
pub mod memory;
pub mod stack;

/// True if the address space of the process is limited.
pub fn is_address_space_limited() -> bool {
    host::address_space_left().is_some()
}
