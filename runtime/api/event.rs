//! Events and event filters, as scripts see them.

use std::sync::Arc;

use jiff::tz::TimeZone;
use rhai::{Array, Dynamic, Map, NativeCallContext};

use super::arguments::{RhaiResultOf, dynamic, fields};
use super::value_text::printed;
use crate::error::Error;
use crate::error::extent::is_short;
use crate::libvirt::events::{self, Event as Happened};
use crate::objects::any;
use crate::objects::watch::{Change, Filter, Given, Refusal, Told};
use crate::show::DateTime;
use crate::spec::{Key, Spec, Type};
use crate::vocabulary::{Declared, Role, record};

/// The maps that calls take and return.
pub(super) const DECLARED: &[&Declared] = &[Event::DECLARED, EventFilter::DECLARED];

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

record! {
    /// An event, with the fields of its kind.
    pub(crate) struct Event by keys_of_events;
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
        key("detail", Type::Text, "cause or kind of the event"),
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
    let change = Type::Keys(Arc::new(Spec {
        keys: keys_of_changes(),
        ..Spec::default()
    }));
    let changes = Type::Array(Box::new(change));
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

/// The keys of a change in a gap.
fn keys_of_changes() -> Vec<Key> {
    let state = || Type::one_of([Type::Text, Type::Unit]);
    let mut keys = vec![
        key(
            "before",
            state(),
            "state before the gap; `()` if there was no such object",
        ),
        key(
            "after",
            state(),
            "state after the gap; `()` if the object is gone",
        ),
        key("uuid", Type::Text, "UUID of the object, if it has one"),
    ];
    keys.extend(events::FAMILIES.iter().map(|family| {
        let noun = family.noun.replace('_', " ");
        key(family.noun, Type::Text, format!("name of the {noun}"))
    }));
    keys
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

/// A field of a filter. An object means its UUID, or its name if it has no UUID.
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
    check_type(ctx, key, value)?;
    let uuid = any::uuid(value);
    Ok(Given {
        key: key.to_owned(),
        is_uuid: uuid.is_some(),
        text: uuid
            .or(named.map(|(_, name)| name))
            .unwrap_or_else(|| value.to_string()),
    })
}

/// Refuses a value of a type that no event has under `key`. `Filter` checks the values of the fields of a kind.
fn check_type(ctx: &NativeCallContext, key: &str, value: &Dynamic) -> RhaiResultOf<()> {
    let object = any::by_option(key);
    let is_object = any::noun_and_name(value).is_some();
    let is_text = object.is_some() || ["kind", "uuid", "event"].contains(&key);
    if value.is_string() || (is_object && object.is_some()) {
        return Ok(());
    }
    if !is_text && (value.is_int() || value.is_bool()) {
        return Ok(());
    }
    let wanted = match object {
        Some(_) => format!("text or a {}", key.replace('_', " ")),
        None if is_text => "text".to_owned(),
        None => "text or a number".to_owned(),
    };
    let shown = printed(ctx, value)?;
    let shown = match shown.is_empty() {
        true => "()",
        false => shown.as_str(),
    };
    let message = format!("`{key}` of an event filter must be {wanted}, not {shown}");
    let error = Error::invalid(ctx, message);
    Err(match value.is_array() {
        true => error.with_hint("give a list of filters, one for each value"),
        false => error,
    }
    .throw())
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
