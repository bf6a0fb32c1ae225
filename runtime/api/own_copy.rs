//! Copies of values for other threads.

use rhai::{Array, Dynamic, FnPtr, Map};

/// The maximum number of values in a copy of what a closure captured: a closure can capture itself.
const MOST: usize = 10_000;

/// Replaces the variables that `closure` captured by copies, also in closures among them: threads that share a variable lock
/// it for each other.
pub(crate) fn own_captured(closure: &mut FnPtr) {
    captured_in(closure, &mut MOST.clone());
}

/// A copy of `value`, with own copies of the variables that closures in it captured.
pub(crate) fn own_value(value: &Dynamic) -> Dynamic {
    own(value, &mut MOST.clone())
}

fn captured_in(closure: &mut FnPtr, left: &mut usize) {
    for captured in closure.iter_curry_mut() {
        *captured = own(captured, left);
    }
}

fn own(value: &Dynamic, left: &mut usize) -> Dynamic {
    let mut copy = value.flatten_clone();
    within(&mut copy, left);
    copy
}

/// Copies the values inside `value`, which is not shared itself.
fn within(value: &mut Dynamic, left: &mut usize) {
    if let Some(mut closure) = value.write_lock::<FnPtr>() {
        if spend(left) {
            captured_in(&mut closure, left);
        }
    } else if let Some(mut list) = value.write_lock::<Array>() {
        for item in list.iter_mut() {
            inner(item, left);
        }
    } else if let Some(mut map) = value.write_lock::<Map>() {
        for item in map.values_mut() {
            inner(item, left);
        }
    }
}

fn inner(item: &mut Dynamic, left: &mut usize) {
    if item.is_shared() {
        if spend(left) {
            *item = own(item, left);
        }
    } else {
        within(item, left);
    }
}

fn spend(left: &mut usize) -> bool {
    let enough = *left > 0;
    *left = left.saturating_sub(1);
    enough
}
