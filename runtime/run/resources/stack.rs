//! The stack of the threads that run scripts.

use std::cell::Cell;
use std::sync::OnceLock;

use super::host;

/// The stack of a thread that runs scripts: enough for the deepest recursion that the limits
/// allow, since an overflow would end the process.
const SIZE: usize = if cfg!(debug_assertions) { 512 } else { 128 } * 1024 * 1024;

/// The least that a script can run with.
const LEAST: usize = if cfg!(debug_assertions) { 32 } else { 8 } * 1024 * 1024;

thread_local! {
    /// The address of the stack at this thread's first call.
    static BEGIN: Cell<usize> = const { Cell::new(0) };
}

/// The bytes of stack to give a thread that runs scripts: less where the process may not have
/// much address space.
pub fn size() -> usize {
    static CHOSEN: OnceLock<usize> = OnceLock::new();
    *CHOSEN.get_or_init(|| match host::address_space_left() {
        Some(left) => SIZE.min((left / 4).max(LEAST)),
        None => SIZE,
    })
}

/// Bytes of stack that are in use beyond those of the first call on this thread.
pub(crate) fn used() -> usize {
    let here = 0_u8;
    let here = std::ptr::from_ref(&here).addr();
    if BEGIN.get() == 0 {
        BEGIN.set(here);
    }
    BEGIN.get().abs_diff(here)
}

/// True if a recursive native function must not go deeper: the rest of the stack is for copying, dropping and undoing.
pub(crate) fn is_used_up() -> bool {
    used() > size() / 8 * 7
}

/// The number of threads with such a stack that fit into the address space, half of which is for
/// other things.
pub(crate) fn threads() -> usize {
    host::address_space_left().map_or(usize::MAX, |left| left / 2 / size())
}
