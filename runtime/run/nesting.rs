//! Values that nest too deeply.
//!
//! Rhai copies, compares and drops a value by recursion, so one that nests deeply enough overflows
//! the stack and ends the process. A script builds such a value a level or a few for each operation,
//! and Rhai does not report assignments; so the variables in reach are measured after every few thousand
//! operations. The number is random, so that a script cannot keep a value out of reach each time.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use rhai::{Array, Dynamic, EvalContext, FnPtr, Map};

use crate::run::resources::stack;

/// The deepest nesting of a value.
const MOST_LEVELS: usize = 10_000;

/// The least and the most operations between two measurements.
const OFTEN: u32 = 4_000;
const SELDOM: u32 = 100_000;

thread_local! {
    /// Operations until the variables are measured.
    static LEFT: Cell<u32> = const { Cell::new(OFTEN) };
}

/// Counts an operation of this thread.
pub(crate) fn count_operation() {
    LEFT.set(LEFT.get().saturating_sub(1));
}

/// True if the variables in scope must be measured now.
pub(crate) fn is_due() -> bool {
    LEFT.get() == 0
}

/// True if a variable in the scope of `context` nests too deeply.
pub(crate) fn is_too_deep(context: &EvalContext) -> bool {
    let mut meter = Meter::default();
    let variables = context.scope().iter_raw().map(|(_, _, value)| value);
    let deep = variables
        .chain(context.this_ptr())
        .any(|value| meter.levels(value).is_none());
    // The interval grows with the number of values, so measuring always takes a small part of the
    // time.
    let operations = meter.values.clamp(OFTEN, SELDOM);
    LEFT.set(operations / 2 + random() % operations);
    deep
}

/// A number that scripts cannot foresee.
fn random() -> u32 {
    // Each `RandomState` has keys of its own.
    RandomState::new().build_hasher().finish() as u32
}

/// The depth of `value`, captured variables of closures included; `None` if it nests more
/// than [`MOST_LEVELS`] deep.
#[cfg(test)]
fn levels(value: &Dynamic) -> Option<usize> {
    Meter::default().levels(value)
}

/// Measures how deep values nest.
#[derive(Default)]
struct Meter {
    /// Values seen so far.
    values: u32,
    /// The levels of each shared value, by its address; 0 while it is being measured, so that a
    /// value which contains itself has an end.
    shared: HashMap<usize, usize>,
}

impl Meter {
    fn levels(&mut self, value: &Dynamic) -> Option<usize> {
        self.below(value, 0)
    }

    /// The levels of `value`, which itself is `depth` levels deep.
    fn below(&mut self, value: &Dynamic, depth: usize) -> Option<usize> {
        self.values = self.values.saturating_add(1);
        if depth > MOST_LEVELS || stack::is_used_up() {
            return None;
        }
        if value.is_shared() {
            // One that is being written is not in the reach of this operation.
            let Some(value) = value.read_lock::<Dynamic>() else {
                return Some(0);
            };
            let address = std::ptr::from_ref(&*value).addr();
            if let Some(levels) = self.shared.get(&address) {
                return Some(*levels).filter(|levels| depth + levels <= MOST_LEVELS);
            }
            self.shared.insert(address, 0);
            let levels = self.below(&value, depth)?;
            self.shared.insert(address, levels);
            return Some(levels);
        }
        if value.is_array() {
            let array = value.read_lock::<Array>()?;
            return self.deepest(array.iter(), depth);
        }
        if value.is_map() {
            let map = value.read_lock::<Map>()?;
            return self.deepest(map.values(), depth);
        }
        if value.is_fnptr() {
            let closure = value.read_lock::<FnPtr>()?;
            return self.deepest(closure.iter_curry(), depth);
        }
        Some(0)
    }

    fn deepest<'a>(
        &mut self,
        values: impl Iterator<Item = &'a Dynamic>,
        depth: usize,
    ) -> Option<usize> {
        let mut deepest = 0;
        for value in values {
            if is_plain(value) {
                self.values = self.values.saturating_add(1);
            } else {
                deepest = deepest.max(self.below(value, depth + 1)?);
            }
        }
        Some(deepest + 1)
    }
}

/// True if `value` certainly contains no other values.
fn is_plain(value: &Dynamic) -> bool {
    !value.is_shared() && (value.is_int() || value.is_string() || value.is_float())
}

#[cfg(test)]
mod tests {
    use rhai::{Dynamic, Engine};

    use super::levels;

    fn levels_of(code: &str) -> Option<usize> {
        let mut engine = Engine::new();
        engine.set_max_expr_depths(0, 0);
        levels(&engine.eval::<Dynamic>(code).expect("a value"))
    }

    #[test]
    fn levels_of_arrays_maps_and_closures_are_counted() {
        assert_eq!(levels_of("1"), Some(0));
        assert_eq!(levels_of("[1, [2], []]"), Some(2));
        assert_eq!(levels_of("#{ a: #{ b: [] } }"), Some(3));
        assert_eq!(levels_of("let a = [[]]; || a"), Some(3));
        let closures = "let f = || 1; for i in 0..100 { let g = f; f = || g.call(); } f";
        assert_eq!(levels_of(closures), Some(101));
    }

    #[test]
    fn a_value_that_contains_itself_has_an_end() {
        assert!(levels_of("let m = #{}; m.f = || m; m").is_some());
    }

    #[test]
    fn shared_values_count_at_their_deepest_place() {
        let code = "let a = [[[1]]]; let f = || a; let g = || [f, a]; [f, [[g]]]";
        assert_eq!(levels_of(code), Some(8));
    }
}
