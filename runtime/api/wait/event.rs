//! Waiting for an event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::{field, job, lost, subject};
use crate::api::arguments::{RhaiResultOf, duration};
use crate::api::event::{event_map, filters};
use crate::error::Error;
use crate::libvirt::Failure;
use crate::libvirt::events::Event;
use crate::objects::connection::Connection;
use crate::objects::watch::{Filter, Outcome, Watch, kinds_of, named};
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
    let filters = filters(ctx, filter)?;
    let watch = conn.watch().map_err(|failure| fail(failure, ""))?;
    // The end of the guest may make the event impossible.
    let subjects: Vec<String> = filters
        .iter()
        .filter_map(|filter| filter.domain().map(str::to_owned))
        .collect();
    let last = Arc::new(Mutex::new(None));
    let (own, guests, near) = (filters.clone(), subjects.clone(), Arc::clone(&last));
    let wanted = move |event: &Event| {
        let fits = own.iter().any(|filter| filter.fits(event));
        if !fits && own.iter().any(|filter| filter.is_of_kind(event)) {
            *near.lock() = Some(event.clone());
        }
        fits || is_end_of(event, &guests)
    };
    let any = filters.iter().any(Filter::is_for_any_kind);
    let mut kinds = kinds_of(&filters);
    if !subjects.is_empty() {
        kinds.extend(named(&["lifecycle"]));
    }
    let feed = watch
        .collect(&kinds, any, wanted)
        .map_err(|(failure, call)| fail(failure, call))?;
    if let Some(action) = action {
        let _: Dynamic = action.call_within_context(ctx, ())?;
    }
    let _waiting = match job::of(conn, &filters) {
        Some((what, progress)) => {
            Waiting::for_job(conn.session(), Instant::now(), progress, || what)
        }
        None => Waiting::new(conn.session(), || {
            format!("an event {} of {}", wanted_words(&filters), conn.uri())
        }),
    };
    let mut deadline = Instant::now().checked_add(timeout);
    let mut rehearsed = conn.is_rehearsed();
    if rehearsed {
        deadline = Instant::now().checked_add(timeout.min(REHEARSED));
    }
    let mut look = Look::At(Instant::now());
    loop {
        let until = look.time().into_iter().chain(deadline).min();
        let outcome = feed.wait(until, conn.session().interrupt(), |event| {
            let fits = filters.iter().any(|filter| filter.fits(event));
            Some(fits.then(|| event_map(event)))
        });
        match outcome {
            Outcome::Found(Some(event)) => return Ok(event),
            Outcome::Found(None) => look = Look::soon(),
            Outcome::Lost => return Err(fail(lost(), "")),
            Outcome::Closed => return Err(fail(conn.closed(), "")),
            Outcome::Stopped => return Err(terminated(ctx)),
            Outcome::TimedOut if look.time().is_some_and(|time| time <= Instant::now()) => {
                match impossible(&watch, &filters) {
                    // Events that libvirt sent before may still be on their way.
                    Some(_) if matches!(look, Look::At(_)) => look = Look::soon(),
                    Some(why) => {
                        let wanted = wanted_words(&filters);
                        let message = format!("no event {wanted} can come: {why}");
                        let invalid = virt_sys::VIR_ERR_OPERATION_INVALID;
                        return Err(fail(Failure::new(invalid, message), ""));
                    }
                    None => look = Look::AtAnEnd,
                }
            }
            Outcome::TimedOut if rehearsed => {
                rehearsed = false;
                if !assume_end(conn, &filters) {
                    let wanted = wanted_words(&filters);
                    let message =
                        format!("the wait was not rehearsed: a twin never has the event {wanted}");
                    return Err(fail(
                        Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message),
                        "",
                    ));
                }
                deadline = Instant::now().checked_add(timeout);
            }
            Outcome::TimedOut => {
                let waited = crate::run::duration_text::plain_duration(timeout);
                let last = last.lock().take();
                let seen = last.map_or_else(
                    || "none came".to_owned(),
                    |event| format!("the last of that kind was {}", seen(&event)),
                );
                let wanted = wanted_words(&filters);
                let message = format!("waited {waited} for an event {wanted}, and {seen}");
                let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
                return Err(fail(failure, ""));
            }
        }
    }
}

/// Time that a rehearsal waits for events of the script's earlier changes.
const REHEARSED: Duration = Duration::from_millis(500);

/// Shuts a guest of a rehearsal down if `filters` wait for its end.
fn assume_end(conn: &Connection, filters: &[Filter]) -> bool {
    filters.iter().any(|filter| {
        let Some(uuid) = filter
            .domain()
            .filter(|_| filter.to_string().contains("stopped"))
        else {
            return false;
        };
        let uuid = uuid.to_owned();
        let ended = conn.attempt("virDomainShutdown", move |connect| {
            let domain = connect.lookup_domain_by_uuid_string(&uuid)?;
            domain.shutdown()?;
            Ok::<_, Failure>(domain.name()?)
        });
        ended.is_ok_and(|name| conn.assumes(|| format!("the guest `{name}` shuts down by itself")))
    })
}

/// True if `event` reports that one of `guests` stopped.
fn is_end_of(event: &Event, guests: &[String]) -> bool {
    let stopped = event.kind == "lifecycle" && field(event, "event") == Some("stopped");
    stopped && guests.contains(&event.uuid)
}

/// An event for a message.
fn seen(event: &Event) -> Dynamic {
    let mut map = event_map(event);
    map.remove("time");
    map.into()
}

/// The time of the next check whether the event can still come.
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
        let (kind, domain) = (filter.kind()?, filter.domain()?.to_owned());
        let over = watch.ask(move |connect| Ok(subject::over(connect, kind, &domain)));
        why = Some(over.ok()??);
    }
    why
}

/// The goal of the wait, for messages.
fn wanted_words(filters: &[Filter]) -> String {
    let wanted: Vec<String> = filters.iter().map(ToString::to_string).collect();
    wanted.join(" or ")
}
