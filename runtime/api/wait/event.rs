//! Waiting for an event.

use std::time::Instant;

use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext};

use super::{lost, terminated};
use crate::api::arguments::{RhaiResultOf, duration, dynamic, fields, unknown_key};
use crate::api::connection::Connection;
use crate::api::domain::Domain;
use crate::error::Error;
use crate::libvirt::Failure;
use crate::libvirt::events::{self, COMMON_FIELDS, Event};
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
    let fail = |failure| {
        Error::new(
            ctx,
            failure,
            "virConnectDomainEventRegisterAny",
            "wait for an event",
            conn.uri(),
        )
        .throw()
    };
    let timeout = duration(ctx, timeout)?;
    let filters: Vec<Filter> = match filter.read_lock::<Array>() {
        Some(list) => list
            .iter()
            .map(|filter| Filter::new(ctx, filter))
            .collect::<RhaiResultOf<_>>()?,
        None => vec![Filter::new(ctx, filter)?],
    };
    let watch = conn.watch().map_err(fail)?;
    for filter in &filters {
        watch.follow(&filter.kind).map_err(fail)?;
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
        Outcome::Lost => Err(fail(lost())),
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
            Err(fail(Failure::new(
                virt_sys::VIR_ERR_OPERATION_TIMEOUT,
                message,
            )))
        }
    }
}

/// What an event must be.
struct Filter {
    kind: String,
    fields: Map,
}

impl Filter {
    /// A kind of event, or a map of what its fields must be; a domain stands for its UUID.
    fn new(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Self> {
        let fields = event_filter(ctx, filter)?;
        let kind = fields
            .get("kind")
            .map_or_else(|| "lifecycle".to_owned(), ToString::to_string);
        Ok(Self { kind, fields })
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

fn event_filter(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Map> {
    let mut map = match filter.clone().into_immutable_string() {
        Ok(kind) => fields! { "kind": kind },
        Err(_) => filter.clone().try_cast::<Map>().ok_or_else(|| {
            Error::invalid(
                ctx,
                "an event is named by its kind, or by a map of its fields",
            )
            .throw()
        })?,
    };
    if let Some(domain) = map
        .get("domain")
        .and_then(|domain| domain.clone().try_cast::<Domain>())
    {
        map.remove("domain");
        map.insert("uuid".into(), domain.uuid().to_owned().into());
    }
    let kind = map
        .get("kind")
        .map_or_else(|| "lifecycle".to_owned(), ToString::to_string);
    if !events::kinds().any(|known| known == kind) {
        let error = Error::invalid(ctx, format!("there is no kind of event `{kind}`"));
        let hint = suggest::nearest(&kind, events::kinds()).map_or_else(
            || {
                format!(
                    "the kinds are {}",
                    events::kinds().collect::<Vec<_>>().join(", ")
                )
            },
            |near| format!("did you mean \"{near}\"?"),
        );
        return Err(error.with_hint(hint).throw());
    }
    if kind == "lifecycle" {
        unknown_key(
            ctx,
            &map,
            COMMON_FIELDS.into_iter().chain(["event", "detail"]),
        )?;
    }
    Ok(map)
}

fn event_map(event: &Event) -> Map {
    let mut map = fields! {
        "kind": event.kind,
        "domain": event.name.clone(),
        "uuid": event.uuid.clone(),
    };
    map.extend(
        event
            .fields
            .iter()
            .map(|(name, value)| (name.as_str().into(), dynamic(value.clone()))),
    );
    map
}
