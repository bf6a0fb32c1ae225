//! Waiting for a state.

use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Map, NativeCallContext};

use super::stuck::{Seen, failed_pause, way_out};
use super::{field, lost};
use crate::api::arguments::RhaiResultOf;
use crate::api::domain::state::reason;
use crate::error::Error;
use crate::libvirt::events::Event;
use crate::libvirt::{self, Failure};
use crate::objects::domain::Domain;
use crate::objects::watch::{Feed, Outcome, Watch, named};
use crate::run::exit::terminated;
use crate::run::waiting::Waiting;
use crate::vocabulary::{DomainGoal, DomainState, Word, record};

/// The word for a domain that libvirt does not know any more, which is no state of libvirt's.
const UNDEFINED: &str = "undefined";

/// The state in which a wait ended.
pub(super) struct Reached {
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) gone: bool,
}

record! {
    /// State that a wait for a guest ended in.
    pub(crate) struct Waited {
        /// State of the guest.
        state: Word<DomainGoal>,
        /// The reason for that state.
        reason: String,
        /// True if libvirt does not know the domain any more.
        gone: bool,
    }
}

impl Reached {
    pub(super) fn into_map(self) -> Map {
        Waited {
            state: self.state.into(),
            reason: self.reason,
            gone: self.gone,
        }
        .into_map()
    }
}

/// The ways in which a wait for a state ends.
pub(super) enum Ended {
    /// The guest is in one of the states.
    Reached(Reached),
    /// The time has passed.
    TimedOut,
    /// The guest is in a state that it does not leave by itself.
    Stuck(Stuck),
}

impl Ended {
    /// The state that was waited for, if that is how it ended.
    pub(super) fn reached(self) -> Option<Reached> {
        match self {
            Ended::Reached(reached) => Some(reached),
            Ended::TimedOut | Ended::Stuck(_) => None,
        }
    }
}

/// The reason why a guest is stuck, and the way out.
pub(super) struct Stuck {
    state: String,
    reason: String,
    pub(super) way_out: &'static str,
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "it is {} ({})", self.state, self.reason)
    }
}

/// Waits until `dom` is in one of the states `wanted`.
pub(super) fn wait_for_state(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &[String],
    timeout: Duration,
) -> RhaiResultOf<Ended> {
    let feed = events_from_now(ctx, dom)?;
    wait_for_state_since(ctx, dom, wanted, timeout, &feed, false)
}

/// The lifecycle events of `dom` from now on.
pub(super) fn events_from_now(ctx: &NativeCallContext, dom: &Domain) -> RhaiResultOf<Feed> {
    let fail = |failure| {
        dom.error(ctx, failure, "virDomainGetState", "wait for")
            .throw()
    };
    let watch = dom.connection().watch().map_err(fail)?;
    let uuid = dom.uuid().to_owned();
    let wanted = move |event: &Event| event.kind == "lifecycle" && event.uuid == uuid;
    let feed = watch.collect(&named(&["lifecycle"]), false, wanted);
    feed.map_err(|(failure, _)| fail(failure))
}

/// Waits until `dom` is in one of the states `wanted`. A transient domain that is gone has the
/// reason which an event of `feed` tells, if it `was_there` when that began.
///
/// Events only say when to look again: libvirt delivers some of them out of order.
pub(super) fn wait_for_state_since(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &[String],
    timeout: Duration,
    feed: &Feed,
    mut was_there: bool,
) -> RhaiResultOf<Ended> {
    let fail = |failure| {
        dom.error(ctx, failure, "virDomainGetState", "wait for")
            .throw()
    };
    let session = dom.connection().session();
    let interrupt = session.interrupt();
    let _waiting = Waiting::new(session, || {
        format!("domain `{}` to be {}", dom.name(), wanted.join(" or "))
    });
    let deadline = Instant::now().checked_add(timeout);
    let watch = feed.watch();
    let mut stopped_by = String::from("unknown");
    let mut was_active = false;
    loop {
        let looked = look(watch, dom, wanted, &stopped_by, &mut was_active);
        let looked = looked.map_err(|failure| {
            let gone = failure.code == i64::from(virt_sys::VIR_ERR_NO_DOMAIN);
            let error = dom.error(ctx, failure, "virDomainGetState", "wait for");
            match gone {
                true => error.with_hint(format!(
                    "it is gone ({stopped_by}) and cannot become {}; to wait for its end, use the state `undefined`",
                    wanted.join(" or ")
                )),
                false => error,
            }
            .throw()
        });
        let leaving = match looked? {
            Look::Reached(mut reached) => {
                if reached.gone && stopped_by == "unknown" {
                    let told = |event: &Event| {
                        let why = (event.uuid == dom.uuid()).then(|| stopped(event));
                        why.flatten()
                    };
                    // If the guest was gone before, an event from that time has the reason;
                    // otherwise the event has not arrived yet.
                    let before = if was_there { None } else { watch.latest(told) };
                    let soon = Instant::now().checked_add(Duration::from_millis(500));
                    let why = before.or_else(|| match feed.wait(soon, interrupt, told) {
                        Outcome::Found(why) => Some(why),
                        _ => None,
                    });
                    reached.reason = why.unwrap_or(reached.reason);
                }
                return Ok(Ended::Reached(reached));
            }
            Look::Stuck(stuck) => return Ok(Ended::Stuck(stuck)),
            Look::Leaving => true,
            Look::NotYet => false,
        };
        was_there = true;
        // No event reports the end of a transient domain, shortly after it stopped.
        let soon = Instant::now() + Duration::from_millis(20);
        let until = if leaving {
            deadline.map(|deadline| deadline.min(soon))
        } else {
            deadline
        };
        let outcome = feed.wait(until, interrupt, |event| {
            if let Some(why) = stopped(event) {
                stopped_by = why;
            }
            Some(())
        });
        match outcome {
            Outcome::Found(()) => {}
            Outcome::TimedOut if deadline.is_some_and(|deadline| Instant::now() < deadline) => {}
            Outcome::TimedOut => return Ok(Ended::TimedOut),
            Outcome::Lost => return Err(fail(lost())),
            Outcome::Closed => return Err(fail(dom.connection().closed())),
            Outcome::Stopped => return Err(terminated(ctx)),
        }
    }
}

/// Puts a guest of a rehearsal into one of the states `wanted`, which the wait expects of the real guest.
pub(super) fn assume_state(dom: &Domain, wanted: &[String]) -> Result<(), Failure> {
    if !wanted
        .iter()
        .any(|state| state == "shutoff" || state == UNDEFINED)
    {
        let message = format!(
            "the wait was not rehearsed: a guest of a twin never becomes {} by itself",
            wanted.join(" or ")
        );
        return Err(Failure::new(virt_sys::VIR_ERR_NO_SUPPORT, message));
    }
    let connection = dom.connection();
    connection.assumes(|| format!("the guest `{}` shuts down by itself", dom.name()));
    dom.attempt("virDomainShutdown", |handle| handle.shutdown())
}

/// The reason why a guest stopped, if `event` reports that.
fn stopped(event: &Event) -> Option<String> {
    let why = field(event, "detail").filter(|_| field(event, "event") == Some("stopped"));
    why.map(str::to_owned)
}

enum Look {
    Reached(Reached),
    Leaving,
    NotYet,
    Stuck(Stuck),
}

/// Looks at the domain through the watching connection, which calls cannot starve.
fn look(
    watch: &Watch,
    dom: &Domain,
    wanted: &[String],
    stopped_by: &str,
    was_active: &mut bool,
) -> Result<Look, Failure> {
    let wants = |state: &str| wanted.iter().any(|word| word == state);
    let uuid = dom.uuid().to_owned();
    let seen = watch.ask(move |connect| {
        let handle = connect.lookup_domain_by_uuid_string(&uuid)?;
        let state = libvirt::domain::state(&handle)?;
        let persistent = handle.is_persistent().unwrap_or(true);
        Ok((handle, state, persistent))
    });
    match seen {
        Ok((handle, (state, why), persistent)) => {
            let word = DomainState::TABLE.word(state).to_string();
            let gone = word == "shutoff" && !persistent;
            if wants(&word) {
                let reason = reason(state, why).to_string();
                return Ok(Look::Reached(Reached {
                    state: word,
                    reason,
                    gone,
                }));
            }
            *was_active |= word != "shutoff";
            if gone {
                return Ok(match wants(UNDEFINED) {
                    true => Look::Leaving,
                    false => Look::NotYet,
                });
            }
            let reason = true_reason(&handle, state, why);
            let seen = Seen {
                state: &word,
                reason: &reason,
                was_active: *was_active,
                keeps_crashed: (word == "crashed" || &*reason == "crashed")
                    && watch
                        .ask(move |_| Ok(keeps_crashed(&handle)))
                        .unwrap_or(false),
            };
            Ok(match way_out(&seen, wanted) {
                Some(way_out) => Look::Stuck(Stuck {
                    reason: reason.to_string(),
                    state: word,
                    way_out,
                }),
                None => Look::NotYet,
            })
        }
        // A transient domain that stopped is gone: that is its outcome, and no failure.
        Err(failure) if failure.code == i64::from(virt_sys::VIR_ERR_NO_DOMAIN) => {
            let state = [UNDEFINED, "shutoff"]
                .into_iter()
                .find(|state| wants(state));
            let state =
                state.or((stopped_by == "crashed" && wants("crashed")).then_some("crashed"));
            match state {
                Some(state) => Ok(Look::Reached(Reached {
                    state: state.to_owned(),
                    reason: stopped_by.to_owned(),
                    gone: true,
                })),
                None => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    }
}

/// The reason of the guest's state. libvirt forgets an I/O error that comes at once after a resume,
/// and still knows the disk that failed.
fn true_reason(handle: &virt::domain::Domain, state: i64, why: i64) -> ImmutableString {
    let reason = reason(state, why);
    let unknown = DomainState::TABLE.word(state) == "paused" && reason == "unknown";
    let failed =
        unknown && libvirt::domain::disk_errors(handle, 0).is_ok_and(|disks| !disks.is_empty());
    match failed {
        true => "ioerror".into(),
        false => reason,
    }
}

/// True if libvirt keeps a crashed guest as it is, false if libvirt ends or restarts it.
fn keeps_crashed(handle: &virt::domain::Domain) -> bool {
    handle
        .xml_desc(0)
        .is_ok_and(|xml| xml.contains("<on_crash>preserve</on_crash>"))
}

/// The failure of a wait for states that the guest does not reach by itself.
pub(super) fn stuck(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &str,
    stuck: &Stuck,
) -> Box<EvalAltResult> {
    let message = format!("{stuck} and cannot become {wanted} by itself");
    let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
    dom.error(ctx, failure, "", "wait for")
        .with_hint(stuck.way_out)
        .throw()
}

/// If a failure holds `dom` up, so that it can make no progress: its state as a message, and the
/// way out.
pub(crate) fn held_up(dom: &Domain) -> Option<(String, &'static str)> {
    let (word, reason) = state_of(dom).ok()?;
    let keeps = |handle: &virt::domain::Domain| Ok::<_, Failure>(keeps_crashed(handle));
    let keeps_crashed = (word == "crashed" || reason == "crashed")
        && dom.attempt("virDomainGetXMLDesc", keeps).unwrap_or(false);
    let seen = Seen {
        state: &word,
        reason: &reason,
        was_active: true,
        keeps_crashed,
    };
    let way_out = match word.as_str() {
        "paused" => failed_pause(&seen)?,
        "crashed" => way_out(&seen, &[])?,
        _ => return None,
    };
    Some((format!("it is {word} ({reason})"), way_out))
}

/// The state of `dom` and the reason for it, in words.
pub(super) fn state_of(dom: &Domain) -> Result<(String, String), Failure> {
    dom.attempt("virDomainGetState", |handle| {
        let (state, why) = libvirt::domain::state(handle)?;
        let reason = true_reason(handle, state, why);
        Ok::<_, Failure>((
            DomainState::TABLE.word(state).to_string(),
            reason.to_string(),
        ))
    })
}

/// The state of `dom`, for the message of a wait that timed out.
fn last_seen(dom: &Domain) -> String {
    match state_of(dom) {
        Ok((state, reason)) => format!("it is {state} ({reason})"),
        Err(failure) => format!("its state could not be read ({})", failure.message),
    }
}

/// The failure of a wait that timed out; `note` has more details.
pub(super) fn timed_out(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &str,
    timeout: Duration,
    note: &str,
) -> Box<EvalAltResult> {
    let waited = crate::run::duration_text::plain_duration(timeout);
    let message = format!(
        "waited {waited} for it to be {wanted}, and {}{note}",
        last_seen(dom)
    );
    let error = dom.error(
        ctx,
        Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message),
        "",
        "wait for",
    );
    let restarts = wanted.contains("shutoff")
        && dom
            .attempt("virDomainGetXMLDesc", |d| d.xml_desc(0))
            .is_ok_and(|xml| xml.contains("<on_poweroff>restart</on_poweroff>"));
    match restarts {
        true => {
            error.with_hint("its XML has <on_poweroff>restart</on_poweroff>: it never stays off")
        }
        false if wanted.contains("shutoff") => error.with_hint(
            "a guest may ignore the request to shut down: `stop()` asks, asks through the agent, then destroys",
        ),
        false => error,
    }
    .throw()
}

/// The states that a script named, checked.
pub(super) fn states(ctx: &NativeCallContext, states: &Dynamic) -> RhaiResultOf<Vec<String>> {
    let list = states
        .read_lock::<Array>()
        .map_or_else(|| vec![states.clone()], |list| list.clone());
    let mut words = Vec::with_capacity(list.len());
    for state in list {
        let word = state.into_immutable_string().map_err(|kind| {
            Error::invalid(
                ctx,
                format!("a state is text such as \"running\", not {kind}"),
            )
            .throw()
        })?;
        DomainGoal::TABLE.expect(ctx, "state", &word)?;
        words.push(word.to_string());
    }
    if words.is_empty() {
        return Err(Error::invalid(ctx, "the list of states is empty").throw());
    }
    Ok(words)
}
