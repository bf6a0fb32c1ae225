//! What scripts need besides libvirt: waiting, joining text, working in parallel.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext, exported_module};

use super::arguments::{RhaiResultOf, duration, number};
use super::undo;
use crate::error::Error;
use crate::exit::{self, terminated};
use crate::interrupt::Standing;
use crate::session::Session;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

pub(crate) fn failed(ctx: &NativeCallContext, message: String) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(message.into(), ctx.call_position()).into()
}

#[export_module]
mod functions {
    /// Ends the script at once, as done.
    ///
    /// ```rhai
    /// exit();
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit() -> RhaiResultOf<()> {
        Err(exit::exit(0))
    }

    /// Ends the script at once with a status from 0 to 255; nothing can catch that.
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
                let wrong = format!("`{status}` is no exit status");
                Err(Error::invalid(&ctx, wrong)
                    .with_hint("an exit status is a number from 0 to 255")
                    .throw())
            }
        }
    }

    /// Does nothing for a while, such as `"90s"`; an interrupt ends it. To wait for a guest, use
    /// `wait`.
    ///
    /// ```rhai
    /// sleep("10ms");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep(ctx: NativeCallContext, time: &str) -> RhaiResultOf<()> {
        nap(&ctx, &time.into())
    }

    /// Does nothing for that many seconds; an interrupt ends it.
    ///
    /// ```rhai
    /// sleep(0);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep_seconds(ctx: NativeCallContext, seconds: i64) -> RhaiResultOf<()> {
        nap(&ctx, &seconds.into())
    }

    /// Does nothing for that many seconds and parts of one; an interrupt ends it.
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
    #[rhai_fn(pure)]
    pub fn join(list: &mut Array, separator: &str) -> String {
        list.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(separator)
    }

    /// `text`, `count` times over, 16 MiB at most.
    ///
    /// ```rhai
    /// assert_eq("-".repeat(3), "---");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(return_raw)]
    pub fn repeat(ctx: NativeCallContext, text: &str, count: i64) -> RhaiResultOf<String> {
        const MOST: usize = 16 * 1024 * 1024;
        let count: usize = number(&ctx, "a number of times", count)?;
        match text.len().checked_mul(count) {
            Some(length) if length <= MOST => Ok(text.repeat(count)),
            _ => Err(
                Error::invalid(&ctx, format!("the text would be longer than {MOST} bytes")).throw(),
            ),
        }
    }

    /// Calls `action` on each of `items`, `limit` of them at a time, and returns the results in
    /// order.
    ///
    /// Each call gets a copy of the variables that `action` captured: what it writes to them is
    /// lost. Once all have ended, the failures are thrown as one list of `#{ item, error }`.
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

/// Sleeps until the time is over or the script is stopped.
fn nap(ctx: &NativeCallContext, time: &Dynamic) -> RhaiResultOf<()> {
    pause(ctx, duration(ctx, time)?)
}

/// Sleeps for `time`, unless the script is stopped.
pub(crate) fn pause(ctx: &NativeCallContext, time: Duration) -> RhaiResultOf<()> {
    let until = Instant::now().checked_add(time);
    let interrupt = Session::of(ctx).interrupt().clone();
    let bell = std::sync::Arc::new((Mutex::new(()), Condvar::new()));
    let rung = std::sync::Arc::clone(&bell);
    let _guard = interrupt.on_stop(move || {
        drop(rung.0.lock().unwrap_or_else(PoisonError::into_inner));
        rung.1.notify_all();
    });
    let mut quiet = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
    while interrupt.stopping().is_none() {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        quiet = match left {
            Some(left) if left.is_zero() => return Ok(()),
            Some(left) => {
                bell.1
                    .wait_timeout(quiet, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => bell.1.wait(quiet).unwrap_or_else(PoisonError::into_inner),
        };
    }
    Err(terminated(ctx))
}

type Outcome = std::result::Result<Dynamic, Box<EvalAltResult>>;

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
    let next = std::sync::atomic::AtomicUsize::new(0);
    let outcomes: Vec<Mutex<Option<Outcome>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            let mut own = action.clone();
            for captured in own.iter_curry_mut() {
                *captured = captured.clone().flatten();
            }
            let run = || own.call_within_context::<Dynamic>(ctx, (item.clone().flatten(),));
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
                .unwrap_or_else(|_| {
                    Err(failed(ctx, "virhai failed inside a parallel call".into()))
                });
            *outcomes[index]
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }
    };
    let undo = undo::current();
    let standing = Standing::of_this_thread();
    let on_behalf = || {
        standing.clone().take();
        undo::filling(undo.clone(), work);
    };
    std::thread::scope(|scope| {
        for _ in 0..limit.min(items.len()) {
            let _ = std::thread::Builder::new()
                .stack_size(crate::resources::STACK)
                .spawn_scoped(scope, on_behalf);
        }
    });
    let mut results = Array::with_capacity(items.len());
    let mut failures = Array::new();
    for (item, outcome) in items.iter().zip(outcomes) {
        match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(value)) => results.push(value),
            Some(Err(error)) if matches!(*error, EvalAltResult::ErrorTerminated(..)) => {
                return Err(error);
            }
            Some(Err(error)) => {
                let error = match error.unwrap_inner() {
                    EvalAltResult::ErrorRuntime(value, _) => value.clone(),
                    other => other.to_string().into(),
                };
                failures.push(
                    super::arguments::fields! { "item": item.clone(), "error": error }.into(),
                );
            }
            None => return Err(failed(ctx, "no thread could be started".into())),
        }
    }
    if failures.is_empty() {
        return Ok(results);
    }
    Err(EvalAltResult::ErrorRuntime(failures.into(), ctx.call_position()).into())
}
