//! Subscriptions: a host's events in a queue, from one moment on.

use std::any::TypeId;
use std::time::Duration;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map, Module, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, DurationValue, RhaiResultOf, duration, number};
use super::event::{Event, EventFilterValue, filters, told_map};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::objects::connection::Connection;
use crate::objects::watch::{Filter, Options, Outcome, Subscription};
use crate::run::exit::terminated;
use crate::vocabulary::{Declared, OptionsOf, RecordOf, RecordValueOf, options as declare_options};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Subscription>("Subscription");
    engine.register_global_module(exported_module!(functions).into());
    let mut module = Module::new();
    module.set_iter_result(TypeId::of::<Subscription>(), |subscription| {
        Box::new(Events(subscription.cast::<Subscription>()))
    });
    engine.register_global_module(module.into());
}

/// The maximum of the option `queue`.
const LARGEST_QUEUE: i64 = 10_000_000;

/// The iterator of a `for` loop.
struct Events(Subscription);

impl Iterator for Events {
    type Item = RhaiResultOf<Dynamic>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.next(None) {
            Outcome::Found(told) => Some(Ok(Dynamic::from_map(told_map(&told)))),
            Outcome::TimedOut | Outcome::Closed => None,
            Outcome::Lost => {
                let (task, uri) = (TASK, self.0.connection().uri());
                // The `for` statement says where.
                Some(Err(Error::nowhere(lost(), task, uri).throw()))
            }
            Outcome::Stopped => Some(Err(rhai::EvalAltResult::ErrorTerminated(
                Dynamic::UNIT,
                rhai::Position::NONE,
            )
            .into())),
        }
    }
}

const TASK: &str = "wait for an event";

pub(super) fn lost() -> Failure {
    Failure::lost("the connection was lost")
}

/// The maps that these calls take and return.
pub(super) const DECLARED: &[&Declared] = &[SubscriptionOptions::DECLARED];

#[export_module]
mod functions {
    /// Subscribes to all future events of this host, except the events of QEMU's own monitor.
    ///
    /// Events wait in a queue, so a slow script loses none. See `events(filter)`.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let events = conn.events();
    /// conn.lookup_by_name("test").destroy();
    /// assert_eq(events.next("10s").detail, "destroyed");
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectRegisterCloseCallback.
    #[rhai_fn(pure, return_raw)]
    pub fn events(ctx: NativeCallContext, conn: &mut Connection) -> RhaiResultOf<Subscription> {
        super::subscribe(&ctx, conn, vec![Filter::any()], &Options::default())
    }

    /// Subscribes to the future events that match `filter`: a kind such as `"lifecycle"`, a map of fields, or an array of
    /// these. Filters are those of `wait_event`; the kind `any` matches every kind: `#{ kind: "any", domain: dom }`.
    ///
    /// Events wait in a queue until a `for` loop, `next()` or `drain()` takes them. The loop ends when the subscription is
    /// closed, and throws when the connection is lost. A subscription is closed when no variable holds it any more.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// let seen = [];
    /// let events = conn.events(#{ kind: "lifecycle", domain: dom });
    /// dom.destroy();
    /// dom.create();
    /// for event in events {
    ///     seen.push(event.event);
    ///     if event.event == "started" { break; }
    /// }
    /// assert_eq(seen, ["stopped", "started"]);
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectRegisterCloseCallback.
    #[rhai_fn(name = "events", pure, return_raw)]
    pub fn events_of(
        ctx: NativeCallContext,
        conn: &mut Connection,
        filter: EventFilterValue,
    ) -> RhaiResultOf<Subscription> {
        let filters = super::filters(&ctx, &filter)?;
        super::subscribe(&ctx, conn, filters, &Options::default())
    }

    /// As above, with options: the subscription ends after `timeout`, `queue` is the length of its queue (65536 by default),
    /// and `reconnect: true` reconnects after a lost connection.
    ///
    /// If the queue is full, further events are lost. In their place comes one event `#{ kind: "overflow", lost }` with their
    /// number. With `reconnect`, virhai reconnects as soon as the host answers, and subscribes to the same events again. An
    /// event `#{ kind: "gap", gap_s, changes }` then has the time without events in seconds, and the objects whose state has
    /// changed, such as `#{ domain: "web", uuid: "...", before: "running", after: "shutoff" }`. `before` or `after` is `()` if
    /// the object did not exist at that time. `conn` and its objects work again too.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let events = conn.events("lifecycle", #{ queue: 1 });
    /// let dom = conn.lookup_by_name("test");
    /// dom.suspend();
    /// conn.wait_event(#{ event: "resumed", domain: dom }, "10s", || dom.resume());
    /// assert_eq([events.next().kind, events.next().kind], ["lifecycle", "overflow"]);
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectRegisterCloseCallback.
    #[rhai_fn(name = "events", pure, return_raw)]
    pub fn events_with_options(
        ctx: NativeCallContext,
        conn: &mut Connection,
        filter: EventFilterValue,
        options: OptionsOf<SubscriptionOptions>,
    ) -> RhaiResultOf<Subscription> {
        let filters = super::filters(&ctx, &filter)?;
        super::subscribe(&ctx, conn, filters, &super::options(&ctx, &options)?)
    }

    /// Waits for the next event and takes it out of the queue; returns `()` after the subscription's own `timeout`.
    ///
    /// Throws if the subscription is closed, or if the connection is lost and the queue is empty.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let events = conn.events("lifecycle");
    /// conn.lookup_by_name("test").suspend();
    /// let event = events.next();
    /// assert_eq([event.domain, event.event], ["test", "suspended"]);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn next(
        ctx: NativeCallContext,
        events: &mut Subscription,
    ) -> RhaiResultOf<RecordValueOf<Event>> {
        super::next(&ctx, events, None)
    }

    /// Waits for the next event; returns `()` if none comes within `timeout`.
    ///
    /// ```rhai
    /// let events = connect("test:///default").events("reboot");
    /// assert_eq(events.next("10ms"), ());
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "next", pure, return_raw)]
    pub fn next_within(
        ctx: NativeCallContext,
        events: &mut Subscription,
        timeout: DurationValue,
    ) -> RhaiResultOf<RecordValueOf<Event>> {
        let timeout = duration(&ctx, &timeout)?;
        super::next(&ctx, events, Some(timeout))
    }

    /// Returns all events in the queue, without waiting for more.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// let events = conn.events(#{ domain: dom });
    /// dom.suspend();
    /// dom.resume();
    /// events.next("10s");
    /// assert_eq(events.drain().map(|event| event.event), ["resumed"]);
    /// ```
    /// Calls virConnectGetLibVersion.
    #[rhai_fn(pure, return_raw)]
    pub fn drain(
        ctx: NativeCallContext,
        events: &mut Subscription,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Event>>> {
        match events.drain() {
            Outcome::Found(waiting) => Ok(waiting
                .iter()
                .map(|told| Dynamic::from_map(told_map(told)))
                .collect()),
            Outcome::Closed => Err(super::closed(&ctx, events)),
            Outcome::Lost => Err(super::fail(&ctx, events, lost())),
            Outcome::TimedOut | Outcome::Stopped => Ok(Array::new()),
        }
    }

    /// Ends the subscription and drops the events in its queue; a second `close` does nothing.
    ///
    /// ```rhai
    /// let events = connect("test:///default").events("lifecycle");
    /// events.close();
    /// for event in events { assert(false, "it is closed"); }
    /// ```
    /// Calls virConnectDomainEventDeregisterAny, virConnectNetworkEventDeregisterAny, virConnectStoragePoolEventDeregisterAny, virConnectNodeDeviceEventDeregisterAny, virConnectSecretEventDeregisterAny, virConnectDomainQemuMonitorEventDeregister.
    #[rhai_fn(pure)]
    pub fn close(events: &mut Subscription) {
        events.close();
    }

    /// The connection of the subscription.
    ///
    /// ```rhai
    /// let events = connect("test:///default").events("lifecycle");
    /// assert_eq(events.connect().uri, "test:///default");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure)]
    pub fn connect(events: &mut Subscription) -> Connection {
        events.connection().clone()
    }

    /// The subscription as text.
    ///
    /// ```rhai
    /// let events = connect("test:///default").events("reboot");
    /// assert_eq(events.to_string(), "Subscription(#{\"kind\": \"reboot\"} of test:///default)");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "to_string", name = "to_debug", pure)]
    pub fn to_string(events: &mut Subscription) -> String {
        events.to_string()
    }

    /// True if both are the same subscription.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let events = conn.events("reboot");
    /// assert(events == events && events != conn.events("reboot"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "==", pure)]
    pub fn equals(events: &mut Subscription, other: Subscription) -> bool {
        *events == other
    }

    /// True if they are different subscriptions.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// assert(conn.events("reboot") != conn.events("reboot"));
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(name = "!=", pure)]
    pub fn differs(events: &mut Subscription, other: Subscription) -> bool {
        *events != other
    }
}

pub(super) fn subscribe(
    ctx: &NativeCallContext,
    conn: &Connection,
    filters: Vec<Filter>,
    options: &Options,
) -> RhaiResultOf<Subscription> {
    Subscription::open(conn, filters, options).map_err(|(failure, call)| {
        Error::new(ctx, failure, call, "subscribe to events", conn.uri()).throw()
    })
}

fn next(
    ctx: &NativeCallContext,
    events: &Subscription,
    timeout: Option<Duration>,
) -> RhaiResultOf<Dynamic> {
    match events.next(timeout) {
        Outcome::Found(told) => Ok(Dynamic::from_map(told_map(&told))),
        Outcome::TimedOut => Ok(Dynamic::UNIT),
        Outcome::Closed => Err(closed(ctx, events)),
        Outcome::Lost => Err(fail(ctx, events, lost())),
        Outcome::Stopped => Err(terminated(ctx)),
    }
}

fn closed(ctx: &NativeCallContext, events: &Subscription) -> Box<EvalAltResult> {
    if events.connection().is_closed() {
        return fail(ctx, events, events.connection().closed());
    }
    let invalid = virt_sys::VIR_ERR_OPERATION_INVALID;
    fail(
        ctx,
        events,
        Failure::new(invalid, "the subscription is closed"),
    )
}

fn fail(ctx: &NativeCallContext, events: &Subscription, failure: Failure) -> Box<EvalAltResult> {
    Error::new(ctx, failure, "", TASK, events.connection().uri()).throw()
}

declare_options! {
    /// Options of a subscription.
    pub(crate) struct SubscriptionOptions {
        /// Time after which the subscription ends; no end if not given.
        timeout: Option<Duration>,
        /// Number of events that can wait in the queue.
        queue: i64 = usual_queue(); 1..=LARGEST_QUEUE,
        /// Whether to reconnect after a lost connection; an event `gap` then lists the changes.
        reconnect: bool = false,
    }
}

/// The default length of the queue.
fn usual_queue() -> i32 {
    i32::try_from(Options::default().queue).unwrap_or(i32::MAX)
}

pub(super) fn options(ctx: &NativeCallContext, given: &Map) -> RhaiResultOf<Options> {
    let given = SubscriptionOptions::read(ctx, given)?;
    Ok(Options {
        timeout: given.timeout,
        reconnect: given.reconnect,
        queue: number(ctx, "queue", given.queue)?,
    })
}

/// Waits for the next event of `events`, no longer than `timeout` if there is one; returns it as a map for scripts.
pub fn next_event(events: &Subscription, timeout: Option<Duration>) -> Outcome<Map> {
    events.next(timeout).map(|told| told_map(&told))
}
