//! The heap that this program shares with libvirt.

/// Makes all threads allocate from one heap. By default, glibc gives each thread a heap of its own: it reserves 64 MiB of
/// addresses, and grows by a system call for each page, which makes large replies of a host slow. Must be called
/// before any other thread exists.
#[cfg(target_env = "gnu")]
pub fn share_heap() {
    // The user's own choice.
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: it sets a number in the C library, which no other thread reads yet.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
}

/// Other C libraries have one heap.
#[cfg(not(target_env = "gnu"))]
pub fn share_heap() {}
