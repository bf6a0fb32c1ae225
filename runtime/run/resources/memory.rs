//! The memory of this process, and how much of it scripts may use.
//!
//! A limit of L bytes holds at every moment, not only between two operations. One operation of the
//! language (a copy of a value, `a + a`, an assignment) at most triples the memory that a script
//! holds, so a script is stopped once its values hold a third of L. A native function that can need
//! more asks [`fits`] before it allocates.

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};

use cap::Cap;
use parking_lot::Mutex;

use super::{host, stack};
use crate::run::interrupt;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The memory for undoing, in bytes: held back from the host, and beyond the script's limit.
const RESERVE: usize = 64 * 1024 * 1024;

/// The least that virhai can run a script with, in bytes.
const LEAST: usize = 64 * 1024 * 1024;

/// The share of the limit that a script's values may fill; one operation needs the rest.
const SHARE: usize = 3;

/// The limit at any moment, in bytes.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The limit between two operations, in bytes.
static MOST_BETWEEN: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Memory that is held back until a script has to undo its changes.
static HELD_BACK: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Its size, which does not count as held.
static HELD_BACK_SIZE: AtomicUsize = AtomicUsize::new(0);

/// Bytes that Rust code of this process holds, without the reserve for undoing.
pub fn held() -> usize {
    (usize::MAX - ALLOCATOR.remaining()).saturating_sub(HELD_BACK_SIZE.load(Ordering::Relaxed))
}

/// Limits the memory that scripts use, beyond that held now, to `limit` bytes (0: no such limit)
/// and to the memory that the host has left; returns the effective limit.
pub fn limit(limit: usize) -> usize {
    let wanted = if limit == 0 { usize::MAX } else { limit };
    let limit = host::memory_left().map_or(wanted, |left| wanted.min(usable(left)));
    let held = held();
    MOST.store(held.saturating_add(limit), Ordering::Relaxed);
    MOST_BETWEEN.store(held.saturating_add(limit / SHARE), Ordering::Relaxed);
    hold_back();
    limit
}

/// The memory for scripts if the process may have `left` more bytes: the allocator loses some to
/// fragments, and threads need stacks.
fn usable(left: usize) -> usize {
    left.saturating_sub(stack::size() + RESERVE) / 3 * 2
}

/// Fails if the process may not have enough memory for a script to run.
///
/// # Errors
///
/// With a message that says how much there is.
pub fn check() -> Result<(), String> {
    match host::address_space_left() {
        Some(left) if usable(left) < LEAST => Err(format!(
            "only {} MiB of address space are left to this process",
            left / 1024 / 1024
        )),
        _ => Ok(()),
    }
}

/// Threads that run a script's code besides the first. Each can have asked for memory that it has
/// not allocated yet.
static OTHER_THREADS: AtomicUsize = AtomicUsize::new(0);

/// Counts a thread that runs a script's code for as long as it lives.
pub(crate) struct OtherThread(());

impl OtherThread {
    pub(crate) fn begin() -> Self {
        OTHER_THREADS.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for OtherThread {
    fn drop(&mut self) {
        OTHER_THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// True if a script may use `more` bytes, even if each of its threads uses as many.
pub(crate) fn fits(more: usize) -> bool {
    // The thread that waits for the others allocates nothing.
    let threads = OTHER_THREADS.load(Ordering::Relaxed).max(1);
    let more = more.saturating_mul(threads);
    held().saturating_add(more) <= with_reserve(MOST.load(Ordering::Relaxed))
}

/// The number of bytes that a script may still allocate.
pub fn room() -> usize {
    with_reserve(MOST.load(Ordering::Relaxed)).saturating_sub(held())
}

/// True if a script uses so much that its next operation could exceed the limit.
pub(crate) fn is_full() -> bool {
    let most = match interrupt::shielded() {
        // A native function may have filled all there was.
        true => with_reserve(MOST.load(Ordering::Relaxed)),
        false => MOST_BETWEEN.load(Ordering::Relaxed),
    };
    held() > most
}

fn with_reserve(most: usize) -> usize {
    match interrupt::shielded() {
        true => most.saturating_add(RESERVE),
        false => most,
    }
}

/// Holds memory back for undoing, as far as there is any.
pub(crate) fn hold_back() {
    let mut held_back = HELD_BACK.lock();
    if held_back.capacity() == 0 && held_back.try_reserve_exact(RESERVE).is_ok() {
        HELD_BACK_SIZE.store(held_back.capacity(), Ordering::Relaxed);
    }
}

/// Releases the reserve: an undo begins.
pub(crate) fn release() {
    let mut held_back = HELD_BACK.lock();
    *held_back = Vec::new();
    HELD_BACK_SIZE.store(0, Ordering::Relaxed);
}
