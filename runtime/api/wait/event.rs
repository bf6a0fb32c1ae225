//! Waiting for an event.

use std::time::Instant;

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use super::lost;
use crate::api::arguments::{RhaiResultOf, duration, dynamic, fields, unknown_key};
use crate::api::connection::Connection;
use crate::api::domain::Domain;
use crate::api::network::Network;
use crate::api::storage_pool::StoragePool;
use crate::error::Error;
use crate::exit::terminated;
use crate::libvirt::Failure;
use crate::libvirt::events::{self, Event, Family};
use crate::suggest;
use crate::watch::Outcome;

/// Waits for the first event after this that `filter`, or one of an array of them, describes.
pub(super) fn wait_event(
    ctx: &NativeCallContext,
    conn: &Connection,
    filter: &Dynamic,
    timeout: &Dynamic,
    action: Option<&FnPtr>,
) -> RhaiResultOf<Map> {
    let fail =
        |failure, call| Error::new(ctx, failure, call, "wait for an event", conn.uri()).throw();
    let timeout = duration(ctx, timeout)?;
    let filters: Vec<Filter> = match filter.read_lock::<Array>() {
        Some(list) => list
            .iter()
            .map(|filter| Filter::new(ctx, filter))
            .collect::<RhaiResultOf<_>>()?,
        None => vec![Filter::new(ctx, filter)?],
    };
    let watch = conn.watch().map_err(|failure| fail(failure, ""))?;
    for filter in &filters {
        watch
            .follow(&filter.kind)
            .map_err(|failure| fail(failure, filter.family.call))?;
    }
    let mut place = watch.now();
    if let Some(action) = action {
        let _: Dynamic = action.call_within_context(ctx, ())?;
    }
    let deadline = Instant::now().checked_add(timeout);
    let mut last = None;
    let outcome = watch.wait(&mut place, deadline, conn.session().interrupt(), |event| {
        if !filters.iter().any(|filter| event.kind == filter.kind) {
            return None;
        }
        let event = event_map(event);
        if filters.iter().any(|filter| filter.fits(&event)) {
            return Some(event);
        }
        last = Some(event);
        None
    });
    match outcome {
        Outcome::Found(event) => Ok(event),
        Outcome::Lost => Err(fail(lost(), "")),
        Outcome::Stopped => Err(terminated(ctx)),
        Outcome::TimedOut => {
            let waited = humantime::format_duration(timeout);
            let wanted: Vec<String> = filters.iter().map(ToString::to_string).collect();
            let wanted = wanted.join(" or ");
            let seen = last.map_or_else(
                || "none came".to_owned(),
                |event| format!("the last of that kind was {}", Dynamic::from(event)),
            );
            let message = format!("waited {waited} for an event {wanted}, and {seen}");
            let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
            Err(fail(failure, ""))
        }
    }
}

/// What an event must be.
struct Filter {
    kind: String,
    family: &'static Family,
    fields: Map,
}

impl Filter {
    /// A kind of event, or a map of what its fields must be; an object stands for its UUID.
    fn new(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Self> {
        if !crate::extent::is_short(filter) {
            return Err(Error::invalid(ctx, "what names the event is too large").throw());
        }
        let mut fields = match filter.clone().into_immutable_string() {
            Ok(kind) => fields! { "kind": kind },
            Err(_) => filter.clone().try_cast::<Map>().ok_or_else(|| {
                Error::invalid(
                    ctx,
                    "an event is named by its kind, or by a map of its fields",
                )
                .throw()
            })?,
        };
        // Where no kind is given, it is the lifecycle of what the fields name.
        let named = events::FAMILIES
            .iter()
            .find(|family| fields.contains_key(family.noun));
        let kind = fields.get("kind").map_or_else(
            || {
                named
                    .map_or("lifecycle", |family| family.lifecycle)
                    .to_owned()
            },
            ToString::to_string,
        );
        let Some(family) = events::family(&kind) else {
            return Err(unknown_kind(ctx, &kind));
        };
        if let Some(uuid) = fields.get(family.noun).and_then(uuid_of) {
            fields.remove(family.noun);
            fields.insert("uuid".into(), uuid.into());
        }
        if kind == family.lifecycle {
            let known = ["kind", family.noun, "uuid", "event", "detail"];
            unknown_key(ctx, &fields, known.into_iter())?;
        }
        Ok(Self {
            kind,
            family,
            fields,
        })
    }

    fn fits(&self, event: &Map) -> bool {
        let same = |(key, value): (&_, &Dynamic)| {
            event
                .get(key)
                .is_some_and(|found| found.to_string() == value.to_string())
        };
        let kind = event
            .get("kind")
            .is_some_and(|kind| kind.to_string() == self.kind);
        kind && self.fields.iter().all(same)
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}", Dynamic::from(self.fields.clone()))
    }
}

fn unknown_kind(ctx: &NativeCallContext, kind: &str) -> Box<EvalAltResult> {
    let hint = suggest::nearest(kind, events::kinds()).map_or_else(
        || {
            let kinds: Vec<&str> = events::kinds().collect();
            format!("the kinds are {}", kinds.join(", "))
        },
        |near| format!("did you mean \"{near}\"?"),
    );
    Error::invalid(ctx, format!("there is no kind of event `{kind}`"))
        .with_hint(hint)
        .throw()
}

/// The UUID of the object that `value` is, if it is one.
fn uuid_of(value: &Dynamic) -> Option<String> {
    let domain = value.read_lock::<Domain>().map(|it| it.uuid().to_owned());
    domain
        .or_else(|| value.read_lock::<Network>().map(|it| it.uuid().to_owned()))
        .or_else(|| {
            let pool = value.read_lock::<StoragePool>();
            pool.map(|it| it.uuid().to_owned())
        })
}

fn event_map(event: &Event) -> Map {
    let mut map = fields! { "kind": event.kind };
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
