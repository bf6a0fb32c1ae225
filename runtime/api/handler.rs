//! Handlers of events: closures that are called for one event after the other, on a separate thread.

use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Instant;

use parking_lot::MutexGuard;
use rhai::plugin::*;
// Marked as volatile, not as deprecated: the version is pinned by the lock file.
#[allow(deprecated)]
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, exported_module};

use super::arguments::RhaiResultOf;
use super::error::caught;
use super::event::{EventFilterValue, filters, told_map};
use super::own_copy::own_captured;
use super::subscription::{SubscriptionOptions, lost, options, subscribe};
use crate::error::Error;
use crate::objects::connection::Connection;
use crate::objects::watch::{Outcome, Subscription};
use crate::run::awaited::{Awaited, Waited};
use crate::run::background::Background;
use crate::run::exit::terminated;
use crate::run::guarded::guarded;
use crate::run::resources::{memory, stack};
use crate::run::session::Session;
use crate::run::waiting::Waiting;
use crate::script::isolation::takes;
use crate::vocabulary::OptionsOf;

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Handler>("Handler");
    engine.register_global_module(exported_module!(functions).into());
}

/// A closure that is called for events; copies are the same handler.
#[derive(Clone)]
pub struct Handler(Arc<Shared>);

struct Shared {
    events: Subscription,
    session: Session,
    state: Arc<Awaited<HandlerState>>,
}

#[derive(Default)]
struct HandlerState {
    thread: Option<ThreadId>,
    ended: bool,
    /// The first failure that was not yet thrown.
    failure: Option<Box<EvalAltResult>>,
    failures: u64,
}

#[export_module]
mod functions {
    /// Calls `handler` for each future event that matches `filter`. A separate thread makes the calls, one after the other;
    /// the script continues. Filters are those of `events`; `"any"` matches every event.
    ///
    /// The second parameter of a handler, if it has one, is the connection: the handler cannot capture the variable `conn`. It
    /// has its own copies of captured variables. It keeps its changes from one event to the next; the script does not see
    /// them. Events that come during a call wait in a queue.
    ///
    /// An error in the handler is reported at once, and the handler continues with the next event. The run fails at its end
    /// with the first such error, unless `close` has already thrown it. At its end, the script gives its handlers 10 seconds
    /// to handle the events in their queues. Then it stops them, and the run fails.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let handler = conn.on("lifecycle", |event, conn| {
    ///     if event.event == "stopped" { conn.lookup_by_name(event.domain).create(); }
    /// });
    /// let dom = conn.lookup_by_name("test");
    /// dom.destroy();
    /// dom.wait("running", "10s");
    /// handler.close();
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectRegisterCloseCallback.
    #[rhai_fn(pure, return_raw)]
    pub fn on(
        ctx: NativeCallContext,
        conn: &mut Connection,
        filter: EventFilterValue,
        handler: FnPtr,
    ) -> RhaiResultOf<Handler> {
        super::on(&ctx, conn, &filter, &Map::new(), &handler)
    }

    /// As above, with the options of `events`: `timeout`, `queue` and `reconnect`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let handler = conn.on(#{ event: "suspended" }, #{ timeout: "1h", reconnect: true }, |event| {
    ///     assert_eq(event.domain, "test");
    /// });
    /// conn.lookup_by_name("test").suspend();
    /// handler.close();
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectRegisterCloseCallback.
    #[rhai_fn(name = "on", pure, return_raw)]
    pub fn on_with_options(
        ctx: NativeCallContext,
        conn: &mut Connection,
        filter: EventFilterValue,
        options: OptionsOf<SubscriptionOptions>,
        handler: FnPtr,
    ) -> RhaiResultOf<Handler> {
        super::on(&ctx, conn, &filter, &options, &handler)
    }

    /// Ends the handler: waits until it has handled the events in its queue, and throws its first error. Called inside the
    /// handler, it drops the events in the queue and returns at once.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let handler = conn.on("lifecycle", |event| { throw `not ${event.event}`; });
    /// let dom = conn.lookup_by_name("test");
    /// dom.destroy();
    /// conn.wait_event(#{ event: "started" }, "10s", || dom.create());
    /// let error = assert_throws(|| handler.close());
    /// assert_eq(error.message, "not stopped");
    /// ```
    /// Calls virConnectGetLibVersion, virConnectDomainEventDeregisterAny, virConnectNetworkEventDeregisterAny, virConnectStoragePoolEventDeregisterAny, virConnectNodeDeviceEventDeregisterAny, virConnectSecretEventDeregisterAny, virConnectDomainQemuMonitorEventDeregister.
    #[rhai_fn(pure, return_raw)]
    pub fn close(ctx: NativeCallContext, handler: &mut Handler) -> RhaiResultOf<()> {
        handler.close(&ctx)
    }

    /// The handler as text.
    ///
    /// ```rhai
    /// let handler = connect("test:///default").on("reboot", |event| print(event));
    /// assert_eq(handler.to_string(), "Handler(#{\"kind\": \"reboot\"} of test:///default)");
    /// handler.close();
    /// assert_eq(handler.to_string(), "Handler(#{\"kind\": \"reboot\"} of test:///default, closed)");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(handler: &mut Handler) -> String {
        handler
            .0
            .events
            .to_string()
            .replacen("Subscription", "Handler", 1)
    }

    /// True if both are the same handler.
    ///
    /// ```rhai
    /// let handler = connect("test:///default").on("reboot", |event| print(event));
    /// assert(handler == handler);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(handler: &mut Handler, other: Handler) -> bool {
        Arc::ptr_eq(&handler.0, &other.0)
    }

    /// True if they are different handlers.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let one = conn.on("reboot", |event| print(event));
    /// assert(one != conn.on("reboot", |event| print(event)));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(handler: &mut Handler, other: Handler) -> bool {
        !Arc::ptr_eq(&handler.0, &other.0)
    }
}

fn on(
    ctx: &NativeCallContext,
    conn: &Connection,
    filter: &Dynamic,
    given: &Map,
    closure: &FnPtr,
) -> RhaiResultOf<Handler> {
    let session = Session::of(ctx);
    let Some(engine) = session.engine() else {
        return Err(Error::invalid(ctx, "this engine cannot run event handlers").throw());
    };
    let events = subscribe(ctx, conn, filters(ctx, filter)?, &options(ctx, given)?)?;
    let handler = Handler(Arc::new(Shared {
        events,
        session: session.clone(),
        state: Arc::default(),
    }));
    let mut closure = closure.clone();
    own_captured(&mut closure);
    for captured in closure.iter_curry_mut() {
        // A value that the handler writes to a captured variable is kept for the next event.
        *captured = std::mem::take(captured).into_shared();
    }
    let takes_connection = takes(ctx, &closure, 2) == Some(true);
    let own = handler.clone();
    #[allow(deprecated)]
    let context = ctx.store_data();
    let work = move || {
        session.interrupt().reach_this_thread();
        let _counted = memory::OtherThread::begin();
        let ended = guarded(|| {
            own.work(&engine, context, closure, takes_connection);
            Ok(())
        });
        if let Err(defect) = ended {
            own.0.fail(defect);
        }
        session.interrupt().count_rest();
        own.0.end();
    };
    let thread = std::thread::Builder::new()
        .name("handler".into())
        .stack_size(stack::size())
        .spawn(work);
    if let Err(error) = thread {
        handler.0.events.close();
        let message = format!("cannot start a thread for the handler: {error}");
        return Err(Error::invalid(ctx, message).throw());
    }
    Session::of(ctx).works().add(Arc::new(handler.clone()));
    Ok(handler)
}

impl Handler {
    /// Calls `closure` for one event after the other.
    #[allow(deprecated)]
    fn work(
        &self,
        engine: &Engine,
        mut context: NativeCallContextStore,
        closure: FnPtr,
        takes_connection: bool,
    ) {
        self.0.state().thread = Some(std::thread::current().id());
        context.global.level = 0;
        context.global.num_operations = Default::default();
        let context = context.create_context(engine);
        loop {
            let told = match self.0.events.next_untold() {
                Outcome::Found(told) => told,
                Outcome::Lost => {
                    let uri = self.0.events.connection().uri();
                    let error = Error::nowhere(lost(), "wait for an event", uri);
                    return self.0.fail(error.throw());
                }
                Outcome::TimedOut | Outcome::Closed | Outcome::Stopped => return,
            };
            let event = Dynamic::from_map(told_map(&told));
            let called = guarded(|| match takes_connection {
                true => {
                    let connection = self.0.events.connection().clone();
                    closure.call_within_context::<Dynamic>(&context, (event, connection))
                }
                false => closure.call_within_context::<Dynamic>(&context, (event,)),
            });
            let Err(error) = called else { continue };
            if self.0.session.interrupt().stopping().is_some() {
                return;
            }
            if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) {
                return self.0.fail(error);
            }
            let error = caught(&context, error);
            self.0.session.note(&format!(
                "an event handler failed and continues with the next event: {}",
                with_place(&error)
            ));
            self.0.fail(error.throw());
        }
    }

    fn close(&self, ctx: &NativeCallContext) -> RhaiResultOf<()> {
        if self.0.state().thread == Some(std::thread::current().id()) {
            self.0.events.close();
            return Ok(());
        }
        self.0.events.finish();
        let session = &self.0.session;
        let _waiting = Waiting::new(session, || "an event handler to return".into());
        let ended = |state: &mut HandlerState| state.ended.then_some(());
        if let Waited::Stopped = self.0.state.wait(None, session.interrupt(), ended) {
            return Err(terminated(ctx));
        }
        self.0.events.close();
        match self.failure() {
            Some((error, _)) => Err(error),
            None => Ok(()),
        }
    }
}

/// `error` in one line, with its place.
fn with_place(error: &Error) -> String {
    let (position, file) = error.origin();
    match (file, position.line()) {
        (Some(file), Some(line)) => format!("{error} ({file}:{line})"),
        (None, Some(line)) => format!("{error} (line {line})"),
        (_, None) => error.to_string(),
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, HandlerState> {
        self.state.lock()
    }

    fn fail(&self, error: Box<EvalAltResult>) {
        let mut state = self.state();
        state.failure.get_or_insert(error);
        state.failures += 1;
    }

    fn end(&self) {
        self.events.close();
        self.state.change(|state| state.ended = true);
    }
}

impl Background for Handler {
    fn finish(&self) {
        self.0.events.finish();
    }

    fn ended_by(&self, until: Instant) -> bool {
        let ended = |state: &mut HandlerState| state.ended.then_some(());
        self.0.state.wait_through_stops(until, ended).is_some()
    }

    fn has_failed(&self) -> bool {
        self.0.state().failure.is_some()
    }

    fn failure(&self) -> Option<(Box<EvalAltResult>, u64)> {
        let mut state = self.0.state();
        let error = state.failure.take()?;
        Some((error, std::mem::take(&mut state.failures)))
    }
}
