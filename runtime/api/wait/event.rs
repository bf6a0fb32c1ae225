//! Waiting for an event.

use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use super::{field, lost, subject};
use crate::advice::suggest;
use crate::api::arguments::{RhaiResultOf, duration, dynamic, fields, unknown_key};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::libvirt::events::{self, Event, Family};
use crate::objects::any;
use crate::objects::connection::Connection;
use crate::objects::watch::{Outcome, Watch};
use crate::run::exit::terminated;
use crate::run::waiting::Waiting;

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
    let _waiting = Waiting::new(conn.session(), || {
        format!("an event {} of {}", wanted(&filters), conn.uri())
    });
    let deadline = Instant::now().checked_add(timeout);
    let mut last = None;
    // The end of the guest may make the event impossible.
    let subjects: Vec<&str> = filters.iter().filter_map(Filter::domain).collect();
    if !subjects.is_empty() {
        watch
            .follow("lifecycle")
            .map_err(|failure| fail(failure, filters[0].family.call))?;
    }
    let mut look = Look::At(Instant::now());
    loop {
        let until = look.time().into_iter().chain(deadline).min();
        let outcome = watch.wait(&mut place, until, conn.session().interrupt(), |event| {
            if filters.iter().any(|filter| event.kind == filter.kind) {
                let map = event_map(event);
                if filters.iter().any(|filter| filter.fits(&map)) {
                    return Some(Some(map));
                }
                last = Some(map);
            }
            let stopped = event.kind == "lifecycle" && field(event, "event") == Some("stopped");
            (stopped && subjects.contains(&event.uuid.as_str())).then_some(None)
        });
        match outcome {
            Outcome::Found(Some(event)) => return Ok(event),
            Outcome::Found(None) => look = Look::soon(),
            Outcome::Lost => return Err(fail(lost(), "")),
            Outcome::Stopped => return Err(terminated(ctx)),
            Outcome::TimedOut if look.time().is_some_and(|time| time <= Instant::now()) => {
                match impossible(&watch, &filters) {
                    // What libvirt told before may still be on its way.
                    Some(_) if matches!(look, Look::At(_)) => look = Look::soon(),
                    Some(why) => {
                        let message = format!("no event {} can come: {why}", wanted(&filters));
                        let invalid = virt_sys::VIR_ERR_OPERATION_INVALID;
                        return Err(fail(Failure::new(invalid, message), ""));
                    }
                    None => look = Look::AtAnEnd,
                }
            }
            Outcome::TimedOut => {
                let waited = crate::run::duration_text::plain_duration(timeout);
                let seen = last.map_or_else(
                    || "none came".to_owned(),
                    |event| format!("the last of that kind was {}", Dynamic::from(event)),
                );
                let wanted = wanted(&filters);
                let message = format!("waited {waited} for an event {wanted}, and {seen}");
                let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
                return Err(fail(failure, ""));
            }
        }
    }
}

/// When to look whether the event can still come.
enum Look {
    /// At that time, for the first time.
    At(Instant),
    /// At that time, when no event can be on its way any more.
    Again(Instant),
    /// Once the guest has stopped.
    AtAnEnd,
}

impl Look {
    fn soon() -> Self {
        Look::Again(Instant::now() + Duration::from_secs(1))
    }

    fn time(&self) -> Option<Instant> {
        match self {
            Look::At(time) | Look::Again(time) => Some(*time),
            Look::AtAnEnd => None,
        }
    }
}

/// The reason why no awaited event can come any more; `None` if one can.
fn impossible(watch: &Watch, filters: &[Filter]) -> Option<String> {
    let mut why = None;
    for filter in filters {
        let (kind, domain) = (filter.kind.clone(), filter.domain()?.to_owned());
        let over = watch.ask(move |connect| Ok(subject::over(connect, &kind, &domain)));
        why = Some(over.ok()??);
    }
    why
}

/// The goal of the wait, for messages.
fn wanted(filters: &[Filter]) -> String {
    let wanted: Vec<String> = filters.iter().map(ToString::to_string).collect();
    wanted.join(" or ")
}

/// What an event must be.
struct Filter {
    kind: String,
    family: &'static Family,
    fields: Map,
    /// The UUID of what the event must be of, if it says so.
    subject: Option<String>,
}

impl Filter {
    /// A kind of event, or a map of what its fields must be; an object stands for its UUID.
    fn new(ctx: &NativeCallContext, filter: &Dynamic) -> RhaiResultOf<Self> {
        if !crate::error::extent::is_short(filter) {
            return Err(Error::invalid(ctx, "the event filter is too large").throw());
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
        if let Some(uuid) = fields.get(family.noun).and_then(any::uuid) {
            fields.remove(family.noun);
            fields.insert("uuid".into(), uuid.into());
        }
        if kind == family.lifecycle {
            let known = ["kind", family.noun, "uuid", "event", "detail"];
            unknown_key(ctx, &fields, known.into_iter())?;
        }
        expect_words(ctx, &kind, &fields)?;
        let subject = fields.get("uuid").map(ToString::to_string);
        Ok(Self {
            kind,
            family,
            fields,
            subject,
        })
    }

    /// The UUID of the domain that the event must be of, if it names one.
    fn domain(&self) -> Option<&str> {
        (self.family.noun == "domain")
            .then_some(self.subject.as_deref())
            .flatten()
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

/// Throws where a field is a word that no event of the kind `kind` has: such an event never comes.
fn expect_words(ctx: &NativeCallContext, kind: &str, fields: &Map) -> RhaiResultOf<()> {
    let text = |value: &Dynamic| value.clone().into_immutable_string().ok();
    let event = fields.get("event").and_then(text);
    for (field, value) in fields {
        let Some(words) = events::words_of(kind, field, event.as_deref()) else {
            continue;
        };
        let word = value.to_string();
        if words.contains(&word.as_str()) {
            continue;
        }
        let hint = match suggest::nearest(&word, words.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("the words are {}", words.join(", ")),
        };
        let message = format!("no event of the kind `{kind}` has `{field}: \"{word}\"`");
        return Error::refuse(ctx, message, hint);
    }
    Ok(())
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
