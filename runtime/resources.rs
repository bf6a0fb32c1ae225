//! What a script uses of the machine: stack and memory.

/// The stack of a thread that runs scripts: enough for the deepest recursion that the limits
/// allow, since an overflow would end the process.
pub const STACK: usize = if cfg!(debug_assertions) { 512 } else { 128 } * 1024 * 1024;

/// The stack of this thread.
pub(crate) mod stack {
    use std::cell::Cell;

    thread_local! {
        /// Where the stack was when this thread first asked.
        static BEGIN: Cell<usize> = const { Cell::new(0) };
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
}

/// The memory of this process.
pub mod memory {
    use std::alloc::System;

    use cap::Cap;

    #[global_allocator]
    static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

    /// Bytes that Rust code of this process holds.
    pub fn held() -> usize {
        ALLOCATOR.allocated()
    }
}
