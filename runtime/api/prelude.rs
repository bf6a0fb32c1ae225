//! Functions besides libvirt's: waiting, joining text, working in parallel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, exported_module};

use super::arguments::{DurationText, RhaiResultOf, duration, number};
use super::asking::{flat_size, size};
use super::own_copy::{own_captured, own_value};
use super::room::{MOST, ensure_room, ensure_running};
use super::{step, undo, value_text};
use crate::error::Error;
use crate::run::awaited::{Awaited, Waited};
use crate::run::exit::{self, terminated};
use crate::run::guarded::guarded;
use crate::run::interrupt::ThreadStop;
use crate::run::place;
use crate::run::resources::{memory, stack};
use crate::run::session::Session;
use crate::run::waiting::Waiting;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

pub(crate) fn failed(ctx: &NativeCallContext, message: String) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(message.into(), ctx.call_position()).into()
}

#[export_module]
mod functions {
    /// Ends the script at once, with success.
    ///
    /// ```rhai
    /// exit();
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit() -> RhaiResultOf<()> {
        Err(exit::exit(0))
    }

    /// Ends the script at once with a status from 0 to 255; `catch` does not stop it.
    ///
    /// ```rhai
    /// exit(0);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit_status(ctx: NativeCallContext, status: Dynamic) -> RhaiResultOf<()> {
        match status.as_int().map(u8::try_from) {
            Ok(Ok(status)) => Err(exit::exit(status)),
            _ => {
                let shown = value_text::printed(&ctx, &status)?;
                let wrong = match status.is_string() {
                    true => format!("the text {shown:?} is not an exit status"),
                    false => format!("`{shown}` is not an exit status"),
                };
                Error::refuse(&ctx, wrong, "an exit status is a number from 0 to 255")
            }
        }
    }

    /// Pauses the script for a duration such as `"90s"`; an interrupt ends it. To wait for a guest, use `wait`.
    ///
    /// ```rhai
    /// sleep("10ms");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep(ctx: NativeCallContext, time: DurationText) -> RhaiResultOf<()> {
        nap(&ctx, &time.into())
    }

    /// Pauses the script for that many seconds; an interrupt ends it.
    ///
    /// ```rhai
    /// sleep(0);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep_seconds(ctx: NativeCallContext, seconds: i64) -> RhaiResultOf<()> {
        nap(&ctx, &seconds.into())
    }

    /// Pauses the script for that many seconds, which may be a fraction; an interrupt ends it.
    ///
    /// ```rhai
    /// sleep(0.01);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep_fraction(ctx: NativeCallContext, seconds: f64) -> RhaiResultOf<()> {
        nap(&ctx, &seconds.into())
    }

    /// The values as text, with `separator` between them.
    ///
    /// ```rhai
    /// assert_eq(["web", "db"].join(", "), "web, db");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn join(ctx: NativeCallContext, list: &mut Array, separator: &str) -> RhaiResultOf<String> {
        value_text::joined(&ctx, list, separator)
    }

    /// `text` repeated `count` times, 16 MiB at most.
    ///
    /// ```rhai
    /// assert_eq("-".repeat(3), "---");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn repeat(ctx: NativeCallContext, text: &str, count: i64) -> RhaiResultOf<String> {
        let count: usize = number(&ctx, "a number of times", count)?;
        match text.len().checked_mul(count) {
            Some(length) if length <= MOST => {
                ensure_room(&ctx, length)?;
                Ok(text.repeat(count))
            }
            _ => Err(
                Error::invalid(&ctx, format!("the text would be longer than {MOST} bytes")).throw(),
            ),
        }
    }

    /// Calls `action` on each of `items`, `limit` of them at a time, and returns the results in
    /// order. A `limit` above 512 counts as 512; a shortage of memory lowers it.
    ///
    /// Each call gets a copy of the variables that `action` captured; changes to them are lost. After all calls have
    /// ended, the failures are thrown as one list of `#{ item, error }`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let states = parallel(conn.list_all_domains(), 4, |dom| dom.state());
    /// assert_eq(states, ["running"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn parallel(
        ctx: NativeCallContext,
        items: Array,
        limit: i64,
        action: FnPtr,
    ) -> RhaiResultOf<Array> {
        super::parallel(&ctx, &items, limit, &action)
    }
}

/// Sleeps until the time has passed or the script is stopped.
fn nap(ctx: &NativeCallContext, time: &Dynamic) -> RhaiResultOf<()> {
    pause(ctx, duration(ctx, time)?)
}

/// Sleeps for `time`, unless the script is stopped.
pub(crate) fn pause(ctx: &NativeCallContext, time: Duration) -> RhaiResultOf<()> {
    let until = Instant::now().checked_add(time);
    let session = Session::of(ctx);
    let _waiting = Waiting::new(&session, || {
        format!(
            "sleep for {}",
            crate::run::duration_text::plain_duration(time)
        )
    });
    let nothing = Arc::<Awaited<()>>::default();
    match nothing.wait(until, session.interrupt(), |_| None::<()>) {
        Waited::Found(()) | Waited::TimedOut => Ok(()),
        Waited::Stopped => Err(terminated(ctx)),
    }
}

type Outcome = std::result::Result<Dynamic, Box<EvalAltResult>>;

/// The bytes that one call of `action` copies: an item, the values that the closure captured, and
/// the constants that it can read.
fn size_of_call(ctx: &NativeCallContext, items: &Array, action: &FnPtr) -> usize {
    let item = items.iter().map(flat_size).max();
    let captured: usize = action.iter_curry().map(flat_size).sum();
    let constants = ctx.global_runtime_state().constants.as_ref();
    let constants = constants.and_then(|constants| {
        let constants = constants.read().ok()?;
        Some(constants.values().map(size).sum::<usize>())
    });
    let imported = ctx.iter_imports().map(|(_, module)| {
        let values = module.iter_var().map(|(_, value)| size(value));
        values.sum::<usize>()
    });
    item.unwrap_or(0) + captured + constants.unwrap_or(0) + imported.sum::<usize>()
}

/// The most calls that `parallel` makes at a time.
const MOST_THREADS: usize = 512;

fn parallel(
    ctx: &NativeCallContext,
    items: &Array,
    limit: i64,
    action: &FnPtr,
) -> RhaiResultOf<Array> {
    let limit: usize = number(ctx, "the limit", limit)?;
    if limit == 0 {
        return Err(Error::invalid(ctx, "the limit must be at least 1").throw());
    }
    let next = AtomicUsize::new(0);
    // The outcomes, and the results besides them.
    ensure_room(ctx, items.len().saturating_mul(128))?;
    let outcomes: Vec<Mutex<Option<Outcome>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let copying = Mutex::new(());
    // Each call gets copies. One thread at a time asks for the room and fills it.
    let copied = |item: &Dynamic| {
        let _alone = copying.lock();
        let captured = action.iter_curry().map(flat_size).sum::<usize>();
        ensure_room(
            ctx,
            captured.saturating_add(flat_size(item)).saturating_mul(2),
        )?;
        let mut own = action.clone();
        own_captured(&mut own);
        RhaiResultOf::Ok((own, own_value(item)))
    };
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let outcome = guarded(|| {
                ensure_running(ctx)?;
                let (own, item) = copied(item)?;
                own.call_within_context::<Dynamic>(ctx, (item,))
            });
            *outcomes[index].lock() = Some(outcome);
        }
    };
    let (undo, step) = (undo::current(), step::current());
    let standing = ThreadStop::of_this_thread();
    let session = Session::of(ctx);
    let interrupt = session.interrupt();
    let place = place::now();
    let on_behalf = || {
        let _visit = place.clone().map(place::Visit::to);
        standing.clone().take();
        undo::filling(undo.clone(), || step::within(step.clone(), work));
        interrupt.count_rest();
    };
    let threads = limit
        .min(items.len())
        .min(MOST_THREADS)
        .min(stack::threads())
        // A call copies arguments that are used more than once.
        .min(memory::room() / 4 / size_of_call(ctx, items, action).max(1))
        .max(1);
    let _counted: Vec<_> = (0..threads).map(|_| memory::OtherThread::begin()).collect();
    let mut no_thread = None;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            // The threads that did start do the work of one that did not.
            no_thread = std::thread::Builder::new()
                .stack_size(stack::size())
                .spawn_scoped(scope, on_behalf)
                .err();
            if no_thread.is_some() {
                break;
            }
        }
    });
    let mut results = Array::with_capacity(items.len());
    let mut failures = Array::new();
    for (item, outcome) in items.iter().zip(outcomes) {
        match outcome.into_inner() {
            Some(Ok(value)) => results.push(value),
            Some(Err(error)) if matches!(*error, EvalAltResult::ErrorTerminated(..)) => {
                return Err(error);
            }
            Some(Err(error)) => {
                let error = Dynamic::from(super::error::caught(ctx, error));
                failures.push(
                    super::arguments::fields! { "item": item.clone(), "error": error }.into(),
                );
            }
            None => {
                let why = no_thread.map_or_else(String::new, |error| format!(": {error}"));
                return Err(failed(ctx, format!("cannot start a thread{why}")));
            }
        }
    }
    if failures.is_empty() {
        return Ok(results);
    }
    Err(EvalAltResult::ErrorRuntime(failures.into(), ctx.call_position()).into())
}
