//! Subscriptions: a host's events in a queue, from one moment on.

use std::any::TypeId;
use std::time::Duration;

use jiff::tz::TimeZone;
use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, Map, Module, NativeCallContext, exported_module};

use super::arguments::{ArrayOf, DurationValue, RhaiResultOf, duration, dynamic, fields};
use crate::error::Error;
use crate::error::extent::is_short;
use crate::libvirt::Failure;
use crate::libvirt::events::{self, Event as Happened};
use crate::objects::any;
use crate::objects::connection::Connection;
use crate::objects::watch::{Change, Filter, Given, Options, Outcome, Refusal, Subscription, Told};
use crate::run::exit::terminated;
use crate::show::DateTime;
use crate::spec::{Key, Type};
use crate::vocabulary::{
    Declared, OptionsOf, RecordOf, RecordValueOf, Recorded, Role, options as declare_options,
};

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Subscription>("Subscription");
    engine.register_global_module(exported_module!(functions).into());
    let mut module = Module::new();
    module.set_iter_result(TypeId::of::<Subscription>(), |subscription| {
        Box::new(Events(subscription.cast::<Subscription>()))
    });
    engine.register_global_module(module.into());
}

/// The largest `queue` that a script can ask for.
const LARGEST_QUEUE: i64 = 10_000_000;

/// The iterator of a `for` loop.
struct Events(Subscription);

impl Iterator for Events {
    type Item = RhaiResultOf<Dynamic>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.next(None) {
            Outcome::Found(told) => Some(Ok(told_map(&told).into())),
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
pub(super) const DECLARED: &[&Declared] = &[
    Event::DECLARED,
    EventFilter::DECLARED,
    SubscriptionOptions::DECLARED,
];

/// A filter of events; signatures name it [`EventFilterValue`]. The keys depend on the kind: `Filter` knows them.
struct EventFilter;

impl EventFilter {
    const DECLARED: &'static Declared = {
        static DECLARED: Declared = Declared {
            name: "EventFilter",
            role: Role::Options,
            about: &["A filter of events"],
            open: true,
            keys: keys_of_filters,
            spec: std::sync::OnceLock::new(),
        };
        &DECLARED
    };
}

/// A kind of event, a map that is an [`EventFilter`], or a list of these.
pub(crate) type EventFilterValue = Dynamic;

/// An event as scripts see it.
pub(crate) struct Event;

impl Recorded for Event {
    type Map = Map;
    type Value = Dynamic;
}

impl Event {
    const DECLARED: &'static Declared = {
        static DECLARED: Declared = Declared {
            name: "Event",
            role: Role::Record,
            about: &["An event, with the fields of its kind"],
            open: true,
            keys: keys_of_events,
            spec: std::sync::OnceLock::new(),
        };
        &DECLARED
    };
}

fn key(name: &str, ty: Type, help: impl Into<String>) -> Key {
    Key {
        help: help.into(),
        ..Key::of_result(name, ty)
    }
}

fn keys_of_filters() -> Vec<Key> {
    let mut keys = vec![key(
        "kind",
        Type::Text,
        "kind of event; the lifecycle of the object if not given",
    )];
    keys.extend(events::FAMILIES.iter().map(|family| {
        let object = any::by_option(family.noun).map(|kind| Type::Object(kind.into()));
        let ty = Type::one_of([Type::Text].into_iter().chain(object));
        key(
            family.noun,
            ty,
            "object that the event is about, or its name",
        )
    }));
    keys.extend([
        key("uuid", Type::Text, "UUID of the object"),
        key("event", Type::Text, "what happened"),
        key("detail", Type::Text, "why or how it happened"),
    ]);
    keys
}

fn keys_of_events() -> Vec<Key> {
    let mut keys = vec![
        key("kind", Type::Text, "kind of event"),
        key("time", Type::Object("DateTime".into()), "time of the event"),
    ];
    keys.extend(events::FAMILIES.iter().map(|family| {
        let noun = family.noun.replace('_', " ");
        key(
            family.noun,
            Type::Text,
            format!("name of the {noun} that the event is about"),
        )
    }));
    let changes = Type::Array(Box::new(Type::Map));
    keys.extend([
        key(
            "connection",
            Type::Text,
            "host of the connection that closed",
        ),
        key("uuid", Type::Text, "UUID of the object, if it has one"),
        key(
            "gap_s",
            Type::Float,
            "seconds without events, of the kind `gap`",
        ),
        key(
            "changes",
            changes,
            "objects with another state than before, of the kind `gap`",
        ),
        key(
            "lost",
            Type::Int,
            "number of lost events, of the kind `overflow`",
        ),
    ]);
    let own = keys.len();
    for kind in events::all() {
        for field in kind.fields {
            let known = keys.iter_mut().skip(own);
            match known.into_iter().find(|known| known.name == field.name) {
                Some(known) => known.help.push_str(&format!(", `{}`", kind.name)),
                None => {
                    let ty = if field.is_number {
                        Type::Int
                    } else {
                        Type::Text
                    };
                    keys.push(key(field.name, ty, format!("of the kind `{}`", kind.name)));
                }
            }
        }
    }
    keys
}

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

    /// The same with options: the subscription ends after `timeout`, `queue` is the length of its queue (65536 by default),
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

    /// Takes all events in the queue, without waiting for more.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// let events = conn.events(#{ domain: dom });
    /// dom.suspend();
    /// dom.resume();
    /// dom.wait("running", "10s");
    /// events.next("10s");
    /// let rest = events.drain();
    /// assert(rest.len() <= 1);
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(pure, return_raw)]
    pub fn drain(
        ctx: NativeCallContext,
        events: &mut Subscription,
    ) -> RhaiResultOf<ArrayOf<RecordOf<Event>>> {
        match events.drain() {
            Outcome::Found(waiting) => {
                Ok(waiting.iter().map(|told| told_map(told).into()).collect())
            }
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

    /// Whether both are the same subscription.
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

    /// Whether they are different subscriptions.
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
        Outcome::Found(told) => Ok(told_map(&told).into()),
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
        queue: i64 = usual_queue(),
        /// Whether it reconnects after a lost connection, with an event `gap` that lists the changes.
        reconnect: bool = false,
    }
}

/// The default length of the queue.
fn usual_queue() -> i32 {
    i32::try_from(Options::default().queue).unwrap_or(i32::MAX)
}

pub(super) fn options(ctx: &NativeCallContext, given: &Map) -> RhaiResultOf<Options> {
    let given = SubscriptionOptions::read(ctx, given)?;
    let events = Some(given.queue).filter(|&n| n > 0 && n <= LARGEST_QUEUE);
    let queue = events.and_then(|events| usize::try_from(events).ok());
    Ok(Options {
        timeout: given.timeout,
        reconnect: given.reconnect,
        queue: queue.ok_or_else(|| {
            let message = format!("`queue` must be a number from 1 to {LARGEST_QUEUE}");
            Error::invalid(ctx, message).throw()
        })?,
    })
}

/// The filters of a script: a kind of event, a map of fields, or an array of these.
pub(super) fn filters(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Vec<Filter>> {
    match filter.read_lock::<Array>() {
        Some(list) if list.is_empty() => {
            Err(Error::invalid(ctx, "the list of event filters is empty").throw())
        }
        Some(list) => list.iter().map(|filter| one_filter(ctx, filter)).collect(),
        None => Ok(vec![one_filter(ctx, filter)?]),
    }
}

fn one_filter(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Filter> {
    if !is_short(filter) {
        return Err(Error::invalid(ctx, "the event filter is too large").throw());
    }
    let fields = match filter.clone().into_immutable_string() {
        Ok(kind) => fields! { "kind": kind },
        Err(_) => filter.clone().try_cast::<Map>().ok_or_else(|| {
            let message = "an event filter is a kind of event or a map of fields";
            Error::invalid(ctx, message).throw()
        })?,
    };
    let given = fields.iter().map(|(key, value)| given(ctx, key, value));
    Filter::new(given.collect::<RhaiResultOf<_>>()?)
        .map_err(|Refusal { message, hint }| Error::invalid(ctx, message).with_hint(hint).throw())
}

/// A field of a filter. An object stands for its UUID, or for its name if it has no UUID.
fn given(ctx: &NativeCallContext, key: &str, value: &Dynamic) -> RhaiResultOf<Given> {
    let named = any::noun_and_name(value);
    if let Some((noun, name)) = &named {
        let is_noun = |text: &str| events::FAMILIES.iter().any(|family| family.noun == text);
        if is_noun(key) && noun.replace(' ', "_") != key {
            let key = key.replace('_', " ");
            let message = format!("`{name}` is a {noun}, not a {key}");
            return Err(Error::invalid(ctx, message).throw());
        }
    }
    let uuid = any::uuid(value);
    Ok(Given {
        key: key.to_owned(),
        is_uuid: uuid.is_some(),
        text: uuid
            .or(named.map(|(_, name)| name))
            .unwrap_or_else(|| value.to_string()),
    })
}

/// An event of a subscription as a map for scripts.
pub(super) fn told_map(told: &Told) -> Map {
    match told {
        Told::Event(event) => event_map(event),
        Told::Overflow { at, lost } => fields! {
            "kind": "overflow", "time": time(*at), "lost": i64::try_from(*lost).unwrap_or(i64::MAX),
        },
        Told::Gap(gap) => {
            let changes: Array = gap.changes.iter().map(|c| change_map(c).into()).collect();
            fields! { "kind": "gap", "time": time(gap.at), "gap_s": gap.seconds, "changes": changes }
        }
    }
}

/// Waits for the next event of `events`, no longer than `timeout` if there is one; returns it as a map for scripts.
pub fn next_event(events: &Subscription, timeout: Option<Duration>) -> Outcome<Map> {
    match events.next(timeout) {
        Outcome::Found(told) => Outcome::Found(told_map(&told)),
        Outcome::TimedOut => Outcome::TimedOut,
        Outcome::Lost => Outcome::Lost,
        Outcome::Closed => Outcome::Closed,
        Outcome::Stopped => Outcome::Stopped,
    }
}

/// A change in a gap: the object and its states before and after, `()` if it did not exist.
fn change_map(change: &Change) -> Map {
    let state = |state: &Option<String>| state.clone().map_or(Dynamic::UNIT, Dynamic::from);
    let mut map = fields! { "before": state(&change.before), "after": state(&change.after) };
    map.insert(change.noun.into(), change.name.clone().into());
    if !change.uuid.is_empty() {
        map.insert("uuid".into(), change.uuid.clone().into());
    }
    map
}

/// An event as a script sees it.
pub(super) fn event_map(event: &Happened) -> Map {
    let mut map = fields! { "kind": event.kind, "time": time(event.at) };
    map.insert(event.noun.into(), event.name.clone().into());
    if !event.uuid.is_empty() {
        map.insert("uuid".into(), event.uuid.clone().into());
    }
    map.extend(
        event
            .fields
            .iter()
            .map(|(name, value)| (name.as_str().into(), dynamic(value.clone()))),
    );
    map
}

fn time(at: jiff::Timestamp) -> DateTime {
    DateTime(at.to_zoned(TimeZone::system()))
}
