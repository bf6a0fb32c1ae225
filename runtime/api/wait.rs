//! Waiting for what guests do, and stopping them for certain.

use std::time::{Duration, Instant};

use rhai::plugin::*;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, exported_module};

use super::arguments::{RhaiResultOf, duration, dynamic, fields, unknown_key};
use super::connection::Connection;
use super::domain::Domain;
use super::domain::state::{STATES, reason};
use crate::error::Error;
use crate::libvirt::events::{self, COMMON_FIELDS, Event};
use crate::libvirt::typed_params::Scalar;
use crate::libvirt::{self, Failure};
use crate::suggest;
use crate::watch::{Outcome, Watch};

/// The word for a domain that libvirt does not know any more, which is no state of libvirt's.
const UNDEFINED: &str = "undefined";

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

/// The state in which a wait ended.
struct Reached {
    state: String,
    reason: String,
    gone: bool,
}

impl Reached {
    fn into_map(self) -> Map {
        fields! { "state": self.state, "reason": self.reason, "gone": self.gone }
    }
}

/// Waits until `dom` is in one of the states `wanted`.
fn wait_for_state(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &[String],
    timeout: Duration,
) -> RhaiResultOf<Option<Reached>> {
    let place = events_so_far(ctx, dom)?;
    wait_for_state_since(ctx, dom, wanted, timeout, place, false)
}

/// The place in the lifecycle events after which those of a call that follows will be.
fn events_so_far(ctx: &NativeCallContext, dom: &Domain) -> RhaiResultOf<u64> {
    let fail = |failure| {
        dom.error(ctx, failure, "virDomainGetState", "wait for")
            .throw()
    };
    let watch = dom.connection().watch().map_err(fail)?;
    let place = watch.now();
    watch.follow("lifecycle").map_err(fail)?;
    Ok(place)
}

/// Waits until `dom` is in one of the states `wanted`. A transient domain that is gone has the
/// reason which an event after `place` tells, if it `was_there` then.
///
/// Events only say when to look again: libvirt delivers some of them out of order.
fn wait_for_state_since(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &[String],
    timeout: Duration,
    mut place: u64,
    mut was_there: bool,
) -> RhaiResultOf<Option<Reached>> {
    let fail = |failure| {
        dom.error(ctx, failure, "virDomainGetState", "wait for")
            .throw()
    };
    let interrupt = dom.connection().session().interrupt();
    let deadline = Instant::now().checked_add(timeout);
    let watch = dom.connection().watch().map_err(fail)?;
    let mut stopped_by = String::from("unknown");
    loop {
        let leaving = match look(&watch, dom, wanted, &stopped_by).map_err(fail)? {
            Look::Reached(mut reached) => {
                if reached.gone && was_there && stopped_by == "unknown" {
                    // The domain is gone before the event that tells why has arrived.
                    let soon = Instant::now().checked_add(Duration::from_millis(500));
                    let told = watch.wait(&mut place, soon, interrupt, |event| {
                        (event.uuid == dom.uuid()).then(|| stopped(event)).flatten()
                    });
                    if let Outcome::Found(why) = told {
                        reached.reason = why;
                    }
                }
                return Ok(Some(reached));
            }
            Look::Leaving => true,
            Look::NotYet => false,
        };
        was_there = true;
        // No event tells of a transient domain's very end, shortly after it stopped.
        let soon = Instant::now() + Duration::from_millis(20);
        let until = if leaving {
            deadline.map(|deadline| deadline.min(soon))
        } else {
            deadline
        };
        let outcome = watch.wait(&mut place, until, interrupt, |event| {
            if event.uuid != dom.uuid() {
                return None;
            }
            if let Some(why) = stopped(event) {
                stopped_by = why;
            }
            Some(())
        });
        match outcome {
            Outcome::Found(()) => {}
            Outcome::TimedOut if deadline.is_some_and(|deadline| Instant::now() < deadline) => {}
            Outcome::TimedOut => return Ok(None),
            Outcome::Lost => return Err(fail(lost())),
            Outcome::Stopped => return Err(terminated(ctx)),
        }
    }
}

/// Why a guest stopped, if that is what `event` tells.
fn stopped(event: &Event) -> Option<String> {
    let why = field(event, "detail").filter(|_| field(event, "event") == Some("stopped"));
    why.map(str::to_owned)
}

enum Look {
    Reached(Reached),
    Leaving,
    NotYet,
}

/// Looks at the domain through the watching connection, which calls cannot starve.
fn look(watch: &Watch, dom: &Domain, wanted: &[String], stopped_by: &str) -> Result<Look, Failure> {
    let wants = |state: &str| wanted.iter().any(|word| word == state);
    let seen = watch
        .connect()
        .lookup_domain_by_uuid_string(dom.uuid())
        .map_err(Failure::from)
        .and_then(|handle| libvirt::domain::state(&handle).map(|state| (handle, state)));
    match seen {
        Ok((handle, (state, why))) => {
            let word = STATES.word(state).to_string();
            let gone = word == "shutoff" && !handle.is_persistent().unwrap_or(true);
            if wants(&word) {
                let reason = reason(state, why).to_string();
                return Ok(Look::Reached(Reached {
                    state: word,
                    reason,
                    gone,
                }));
            }
            Ok(if gone && wants(UNDEFINED) {
                Look::Leaving
            } else {
                Look::NotYet
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

fn lost() -> Failure {
    Failure::new(
        virt_sys::VIR_ERR_RPC,
        "the connection was lost while waiting (End of file)",
    )
}

fn terminated(ctx: &NativeCallContext) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, ctx.call_position()).into()
}

fn field<'a>(event: &'a Event, name: &str) -> Option<&'a str> {
    event
        .fields
        .iter()
        .find(|(known, _)| known == name)
        .and_then(|(_, value)| match value {
            Scalar::Text(text) => Some(text.as_str()),
            _ => None,
        })
}

/// What `dom` is doing, for the message of a wait that timed out.
fn last_seen(dom: &Domain) -> String {
    match dom
        .handle()
        .and_then(|handle| libvirt::domain::state(&handle))
    {
        Ok((state, why)) => format!("it is {} ({})", STATES.word(state), reason(state, why)),
        Err(failure) => format!("its state could not be read ({})", failure.message),
    }
}

fn timed_out(
    ctx: &NativeCallContext,
    dom: &Domain,
    wanted: &str,
    timeout: Duration,
) -> Box<EvalAltResult> {
    let waited = humantime::format_duration(timeout);
    let message = format!(
        "waited {waited} for it to be {wanted}, and {}",
        last_seen(dom)
    );
    let error = dom.error(
        ctx,
        Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message),
        "",
        "wait for",
    );
    let restarts = wanted.contains("shutoff")
        && dom.handle().is_ok_and(|handle| {
            handle
                .xml_desc(0)
                .is_ok_and(|xml| xml.contains("<on_poweroff>restart</on_poweroff>"))
        });
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
fn states(ctx: &NativeCallContext, states: &Dynamic) -> RhaiResultOf<Vec<String>> {
    let list = states
        .read_lock::<Array>()
        .map_or_else(|| vec![states.clone()], |list| list.clone());
    let known: Vec<String> = STATES
        .all()
        .iter()
        .map(ToString::to_string)
        .chain([UNDEFINED.to_owned()])
        .collect();
    let mut words = Vec::with_capacity(list.len());
    for state in list {
        let word = state.into_immutable_string().map_err(|kind| {
            Error::invalid(
                ctx,
                format!("a state is text such as \"running\", not {kind}"),
            )
            .throw()
        })?;
        if !known.iter().any(|state| *state == word) {
            let error = Error::invalid(ctx, format!("there is no state `{word}`"));
            return Err(
                match suggest::nearest(&word, known.iter().map(String::as_str)) {
                    Some(near) => error.with_hint(format!("did you mean \"{near}\"?")),
                    None => error.with_hint(format!("the states are {}", known.join(", "))),
                }
                .throw(),
            );
        }
        words.push(word.to_string());
    }
    if words.is_empty() {
        return Err(Error::invalid(ctx, "the list of states is empty").throw());
    }
    Ok(words)
}

/// Waits for the first event after this that `filter` describes.
fn wait_event(
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
    let filter = event_filter(ctx, filter)?;
    let kind = filter
        .get("kind")
        .map_or_else(|| "lifecycle".to_owned(), ToString::to_string);
    let watch = conn.watch().map_err(fail)?;
    watch.follow(&kind).map_err(fail)?;
    let mut place = watch.now();
    if let Some(action) = action {
        let _: Dynamic = action.call_within_context(ctx, ())?;
    }
    let deadline = Instant::now().checked_add(timeout);
    let mut last = None;
    let outcome = watch.wait(&mut place, deadline, conn.session().interrupt(), |event| {
        if event.kind != kind {
            return None;
        }
        let event = event_map(event);
        let fits = filter.iter().all(|(key, value)| {
            event
                .get(key)
                .is_some_and(|found| found.to_string() == value.to_string())
        });
        if fits {
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
            let wanted = Dynamic::from(filter);
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

/// A kind of event, or a map of what its fields must be; a domain stands for its UUID.
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

const STOP_OPTIONS: [&str; 3] = ["shutdown", "agent", "destroy"];

/// Asks, asks again through the agent, and pulls the plug; answers which of them did it.
fn stop(ctx: &NativeCallContext, dom: &Domain, options: &Map) -> RhaiResultOf<Map> {
    unknown_key(ctx, options, STOP_OPTIONS.into_iter())?;
    let patience = |name: &str, usual: u64| match options.get(name) {
        None => Ok(Duration::from_secs(usual)),
        Some(value) => duration(ctx, value),
    };
    let (shutdown, agent) = (patience("shutdown", 60)?, patience("agent", 30)?);
    let pull = match options.get("destroy").map(Dynamic::as_bool) {
        None => true,
        Some(Ok(pull)) => pull,
        Some(Err(kind)) => {
            return Err(
                Error::invalid(ctx, format!("`destroy` must be a bool, not {kind}")).throw(),
            );
        }
    };
    let off = ["shutoff".to_owned(), "crashed".to_owned()];
    let began = Instant::now();
    let report = |by: &str, reached: Reached| {
        let mut map = reached.into_map();
        map.insert("by".into(), by.to_owned().into());
        map.insert("seconds".into(), began.elapsed().as_secs_f64().into());
        map
    };
    if let Some(reached) = wait_for_state(ctx, dom, &off, Duration::ZERO)? {
        return Ok(report("nothing", reached));
    }
    let place = events_so_far(ctx, dom)?;
    let wait = |patience| wait_for_state_since(ctx, dom, &off, patience, place, true);
    let rungs = [
        (
            "shutdown",
            virt_sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
            shutdown,
        ),
        ("agent", virt_sys::VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, agent),
    ];
    for (by, way, patience) in rungs {
        if patience.is_zero() {
            continue;
        }
        let asked = dom
            .handle()
            .map_err(|failure| dom.error(ctx, failure, "", "stop").throw())?;
        // The driver may not have that way to ask, or the guest no agent: the next rung will do.
        let accepted = asked.shutdown_flags(way).or_else(|error| {
            if by == "shutdown" {
                asked.shutdown()
            } else {
                Err(error)
            }
        });
        if accepted.is_err()
            && dom
                .connection()
                .connect()
                .is_ok_and(|c| !c.is_alive().unwrap_or(false))
        {
            return Err(dom
                .error(ctx, lost(), "virDomainShutdownFlags", "stop")
                .throw());
        }
        if accepted.is_ok()
            && let Some(reached) = wait(patience)?
        {
            return Ok(report(by, reached));
        }
    }
    if !pull {
        return Err(timed_out(ctx, dom, "shutoff", shutdown + agent));
    }
    match dom.call(
        ctx,
        "virDomainDestroy",
        "destroy",
        virt::domain::Domain::destroy,
    ) {
        Ok(()) => {}
        // It stopped of its own accord in the last moment.
        Err(error) => {
            let reached = wait(Duration::ZERO)?;
            return reached
                .map(|reached| report("shutdown", reached))
                .ok_or(error);
        }
    }
    let reached = wait(Duration::from_secs(30))?;
    reached
        .map(|reached| report("destroy", reached))
        .ok_or_else(|| timed_out(ctx, dom, "shutoff", Duration::from_secs(30)))
}

#[export_module]
mod functions {
    /// Waits until the guest is in a state, or in one of a list of them, and returns it as
    /// `#{ state, reason, gone }`.
    ///
    /// The states are those of `state()`, and `undefined` for a domain that libvirt does not know
    /// any more. A transient domain is gone once it stopped: that counts as `shutoff`, with the
    /// reason of its end and `gone` true. Throws `VIR_ERR_OPERATION_TIMEOUT` with what was seen
    /// last, and `VIR_ERR_NO_DOMAIN` when the domain is gone and can never get there.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// dom.shutdown();
    /// assert_eq(dom.wait(["shutoff", "crashed"], "1m").state, "shutoff");
    /// ```
    /// Calls virDomainGetState.
    #[rhai_fn(pure, return_raw)]
    pub fn wait(
        ctx: NativeCallContext,
        dom: &mut Domain,
        states: Dynamic,
        timeout: Dynamic,
    ) -> RhaiResultOf<Map> {
        let wanted = super::states(&ctx, &states)?;
        let timeout = duration(&ctx, &timeout)?;
        match wait_for_state(&ctx, dom, &wanted, timeout)? {
            Some(reached) => Ok(reached.into_map()),
            None => Err(timed_out(&ctx, dom, &wanted.join(" or "), timeout)),
        }
    }

    /// Stops the guest for certain: asks it, asks through its agent after a minute, and pulls the
    /// plug after another half.
    ///
    /// Returns the state with `by`, which tells what did it (`shutdown`, `agent`, `destroy`, or
    /// `nothing` where it was off already), and `seconds`.
    ///
    /// ```rhai
    /// let stopped = connect("test:///default").lookup_by_name("test").stop();
    /// assert_eq(stopped.by, "shutdown");
    /// assert_eq(stopped.state, "shutoff");
    /// ```
    /// Calls virDomainShutdownFlags, virDomainDestroy.
    #[rhai_fn(name = "stop", pure, return_raw)]
    pub fn stop_default(ctx: NativeCallContext, dom: &mut Domain) -> RhaiResultOf<Map> {
        stop(&ctx, dom, &Map::new())
    }

    /// Stops the guest with timeouts of its own: `shutdown` and `agent` as durations, where 0
    /// leaves that step out, and `destroy: false` to throw instead of pulling the plug.
    ///
    /// ```rhai,qemu
    /// let dom = connect().lookup_by_name("web");
    /// let stopped = dom.stop(#{ shutdown: "30s", agent: 0, destroy: false });
    /// assert_eq(stopped.by, "shutdown");
    /// ```
    /// Calls virDomainShutdownFlags, virDomainDestroy.
    #[rhai_fn(name = "stop", pure, return_raw)]
    pub fn stop_with_options(
        ctx: NativeCallContext,
        dom: &mut Domain,
        options: Map,
    ) -> RhaiResultOf<Map> {
        stop(&ctx, dom, &options)
    }

    /// Waits for the next event of a kind, or the next whose fields are as in a map, and returns
    /// it as a map with `kind`, `domain`, `uuid` and the kind's own fields.
    ///
    /// Only events after the call count: give what causes it as a third argument. A lifecycle
    /// event has `event` (`started`, `stopped`, ...) and `detail` (`booted`, `destroyed`, ...).
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.wait_event("lifecycle", "10ms");
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_TIMEOUT");
    /// }
    /// ```
    /// Calls virConnectDomainEventRegisterAny.
    #[rhai_fn(name = "wait_event", pure, return_raw)]
    pub fn wait_event_after(
        ctx: NativeCallContext,
        conn: &mut Connection,
        event: Dynamic,
        timeout: Dynamic,
    ) -> RhaiResultOf<Map> {
        wait_event(&ctx, conn, &event, &timeout, None)
    }

    /// Runs `action` and waits for an event that it causes, so that none is missed in between.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// let event = conn.wait_event(#{ event: "stopped", domain: dom }, "10s", || dom.destroy());
    /// assert_eq(event.detail, "destroyed");
    /// ```
    /// Calls virConnectDomainEventRegisterAny.
    #[rhai_fn(name = "wait_event", pure, return_raw)]
    pub fn wait_event_of(
        ctx: NativeCallContext,
        conn: &mut Connection,
        event: Dynamic,
        timeout: Dynamic,
        action: FnPtr,
    ) -> RhaiResultOf<Map> {
        wait_event(&ctx, conn, &event, &timeout, Some(&action))
    }
}
