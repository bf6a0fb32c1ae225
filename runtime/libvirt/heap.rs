//! The heap that this program shares with libvirt.

/// Makes all threads allocate from one heap. By default, glibc gives each thread its own heap. Each of these reserves 64 MiB
/// of addresses, and needs a system call for each new page, which makes large replies of a host slow. Call it before any
/// other thread exists.
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
