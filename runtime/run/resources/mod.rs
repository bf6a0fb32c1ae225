//! The stack and memory of scripts.

mod host;
pub mod memory;
pub mod stack;

/// Whether a limit of the process holds on its address space.
pub fn is_address_space_limited() -> bool {
    host::address_space_left().is_some()
}
