//! Stops a guest reliably.

use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext};

use super::hearing::{Hearing, hearing, no_power_button};
use super::lost;
use super::state::{
    Ended, Reached, Stuck, events_from_now, state_of, timed_out, wait_for_state,
    wait_for_state_since,
};
use crate::api::arguments::RhaiResultOf;
use crate::error::Error;
use crate::libvirt::events::Event;
use crate::libvirt::{Failure, FailureKind};
use crate::objects::domain::Domain;
use crate::objects::watch::{Feed, Outcome, named};
use crate::run::exit::terminated;
use crate::run::waiting::Waiting;
use crate::vocabulary::{DomainGoal, StoppedBy, Word, options, record};

options! {
    /// Time limits of the steps of a stop, and when to destroy the guest.
    pub(crate) struct StopOptions {
        /// Time for the guest to shut down after its power button was pressed; 0 skips the step.
        shutdown: Duration = "1m",
        /// Time for the guest to shut down after its agent was asked; 0 skips the step.
        agent: Duration = "30s",
        /// Whether to destroy a guest that did not shut down in time.
        destroy: bool = true,
        /// Whether to destroy the guest even if the request could not be made.
        force: bool = false,
    }
}

record! {
    /// State of a stopped guest, and what stopped it.
    pub(crate) struct Stopped {
        /// State of the guest.
        state: Word<DomainGoal>,
        /// The reason for that state.
        reason: String,
        /// True if libvirt does not know the domain any more.
        gone: bool,
        /// Step that stopped it; `nothing` if it was already off or shut down by itself.
        by: Word<StoppedBy>,
        /// The duration of the stop.
        seconds: f64,
        /// Requests that were made.
        asked: Vec<String>,
        /// Reason for each request that could not be made.
        not_asked: Map,
        /// True if a paused or sleeping guest was resumed for the request.
        resumed: bool,
    }
}

/// Time limit for a guest that is resumed or woken to run.
const RESUMING: Duration = Duration::from_secs(5);

/// Interval between requests after a failure, if no event reports a change.
const AGAIN: Duration = Duration::from_millis(500);

/// Asks, asks again through the agent, and pulls the plug; returns which of them did it.
pub(super) fn stop(ctx: &NativeCallContext, dom: &Domain, options: &Map) -> RhaiResultOf<Map> {
    let plan = Plan::new(ctx, options)?;
    let _waiting = Waiting::new(dom.connection().session(), || dom.action(&"stop"));
    let mut stop = Stop {
        ctx,
        dom,
        feed: None,
        began: Instant::now(),
        asked: Vec::new(),
        not_asked: Vec::new(),
        held_up: None,
        eased: None,
    };
    if let Some(reached) = stop.is_off()? {
        return Ok(stop.report("nothing", reached));
    }
    stop.feed = Some(events_from_now(ctx, dom)?);
    for attempt in plan.attempts() {
        if let Some(reached) = stop.make(&attempt)? {
            return Ok(stop.report(stop.asked.last().unwrap_or(&"nothing"), reached));
        }
    }
    let asked_in_vain = !stop.asked.is_empty() && stop.held_up.is_none();
    let told_not_to_ask = plan.attempts().next().is_none();
    if !(asked_in_vain || told_not_to_ask || plan.force) {
        let error = stop.not_heard();
        stop.pause_again();
        return Err(error);
    }
    if !plan.pull {
        let again = stop.pause_again().unwrap_or_default();
        let note = format!("{again}{}", stop.not_asked_note());
        let waited = plan.shutdown + plan.agent;
        return Err(timed_out(ctx, dom, "shutoff", waited, &note));
    }
    stop.unplug()
}

/// The script's options for the stop.
struct Plan {
    shutdown: Duration,
    agent: Duration,
    /// Whether to destroy a guest that did not shut down in time.
    pull: bool,
    /// Whether to destroy the guest even if the request could not be made.
    force: bool,
}

/// A way to ask.
struct Attempt {
    name: &'static str,
    flag: u32,
    patience: Duration,
}

impl Plan {
    fn new(ctx: &NativeCallContext, options: &Map) -> RhaiResultOf<Self> {
        let options = StopOptions::read(ctx, options)?;
        let plan = Self {
            shutdown: options.shutdown,
            agent: options.agent,
            pull: options.destroy,
            force: options.force,
        };
        if plan.force && !plan.pull {
            let message = "`force: true` destroys the guest and `destroy: false` forbids that";
            return Err(Error::invalid(ctx, message).throw());
        }
        Ok(plan)
    }

    /// The ways to ask that the script wants, in their order.
    fn attempts(&self) -> impl Iterator<Item = Attempt> {
        let attempts = [
            (
                "shutdown",
                virt_sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
                self.shutdown,
            ),
            (
                "agent",
                virt_sys::VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
                self.agent,
            ),
        ];
        attempts
            .into_iter()
            .filter(|(_, _, patience)| !patience.is_zero())
            .map(|(name, flag, patience)| Attempt {
                name,
                flag,
                patience,
            })
    }
}

/// The outcome of a request.
enum Asked {
    Yes,
    /// Not now, but perhaps soon.
    NotYet(String),
    No(String),
}

/// A guest that is being stopped, and the steps so far.
struct Stop<'a> {
    ctx: &'a NativeCallContext<'a>,
    dom: &'a Domain,
    /// The events of the guest since this stop began; none before.
    feed: Option<Feed>,
    began: Instant,
    asked: Vec<&'static str>,
    /// The ways in which it could not be asked, with the reasons.
    not_asked: Vec<(&'static str, String)>,
    /// The failure that keeps the guest from hearing anything, with the way out.
    held_up: Option<(String, &'static str)>,
    /// The state from which the guest was resumed or woken.
    eased: Option<&'static str>,
}

impl Stop<'_> {
    /// The state of the guest if it is off.
    fn is_off(&self) -> RhaiResultOf<Option<Reached>> {
        let ended = wait_for_state(self.ctx, self.dom, &off(), Duration::ZERO)?;
        if let Some(reached) = ended.reached() {
            return Ok(Some(reached));
        }
        let inactive = |d: &virt::domain::Domain| d.is_active().map(|active| !active);
        let inactive = self.dom.attempt("virDomainIsActive", inactive);
        let reached = |(state, reason)| Reached {
            state,
            reason,
            gone: false,
        };
        Ok(match inactive.unwrap_or(false) {
            true => state_of(self.dom).ok().map(reached),
            false => None,
        })
    }

    /// Asks in one way and waits; returns the state once the guest is off.
    fn make(&mut self, attempt: &Attempt) -> RhaiResultOf<Option<Reached>> {
        if self.held_up.is_some() {
            return Ok(None);
        }
        let deadline = Instant::now() + attempt.patience;
        let mut eased = false;
        loop {
            if let Some(reached) = self.is_off()? {
                return Ok(Some(reached));
            }
            let hears = match hearing(self.dom) {
                Ok(hears) => hears,
                Err(failure) => {
                    self.still_there()?;
                    if Instant::now() < deadline {
                        self.next_change(deadline.min(Instant::now() + AGAIN))?;
                        continue;
                    }
                    Hearing::Busy(failure.message)
                }
            };
            let why = match hears {
                Hearing::Yes => match self.ask(attempt)? {
                    Asked::Yes => {
                        self.asked.push(attempt.name);
                        // A system that was just woken may miss it while it resumes.
                        if self.eased == Some("pmsuspended") {
                            let left = deadline.saturating_duration_since(Instant::now());
                            if let Some(reached) = self.wait(left.min(RESUMING))? {
                                return Ok(Some(reached));
                            }
                            let _ = self.ask(attempt)?;
                        }
                        return self.wait(deadline.saturating_duration_since(Instant::now()));
                    }
                    Asked::NotYet(_) if Instant::now() < deadline => {
                        self.next_change(deadline.min(Instant::now() + AGAIN))?;
                        continue;
                    }
                    Asked::NotYet(why) | Asked::No(why) => why,
                },
                Hearing::Paused | Hearing::Asleep if eased => {
                    "it was paused again at once".to_owned()
                }
                Hearing::Paused => {
                    eased = true;
                    match self.ease("paused", "virDomainResume", |d| d.resume())? {
                        None => continue,
                        Some(why) => why,
                    }
                }
                Hearing::Asleep => {
                    eased = true;
                    match self.ease("pmsuspended", "virDomainPMWakeup", |d| d.pm_wakeup(0))? {
                        None => continue,
                        Some(why) => why,
                    }
                }
                Hearing::Busy(_) if Instant::now() < deadline => {
                    self.next_change(deadline.min(Instant::now() + AGAIN))?;
                    continue;
                }
                Hearing::Busy(why) => why,
                Hearing::Failed { why, way_out } => {
                    self.held_up = Some((why.clone(), way_out));
                    why
                }
            };
            self.not_asked.push((attempt.name, why));
            return Ok(None);
        }
    }

    /// Asks the guest once.
    fn ask(&self, attempt: &Attempt) -> RhaiResultOf<Asked> {
        let button = attempt.flag == virt_sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN;
        if let Some(why) = no_power_button(self.dom).filter(|_| button) {
            return Ok(Asked::No(why.into()));
        }
        let flag = attempt.flag;
        let asked = self.dom.attempt("virDomainShutdownFlags", move |d| {
            match d.shutdown_flags(flag).map_err(Failure::from) {
                // A driver that has one way to ask.
                Err(failure) if button && is_unsupported(&failure) => {
                    d.shutdown().map_err(Failure::from)
                }
                asked => asked,
            }
        });
        let failure = match asked {
            Ok(()) => return Ok(Asked::Yes),
            Err(failure) => failure,
        };
        // An agent that goes while it is asked was asked: it may go before it can answer.
        if failure.kind == FailureKind::LostAgent {
            return Ok(Asked::Yes);
        }
        self.still_there()?;
        // A user without permission for one way to ask has none for the other ways.
        let denied = [
            virt_sys::VIR_ERR_OPERATION_DENIED,
            virt_sys::VIR_ERR_ACCESS_DENIED,
        ];
        if denied.map(i64::from).contains(&failure.code) {
            return Err(self.fail(failure));
        }
        let not_yet = failure.code == i64::from(virt_sys::VIR_ERR_AGENT_UNRESPONSIVE);
        Ok(match not_yet {
            true => Asked::NotYet(failure.message),
            false => Asked::No(failure.message),
        })
    }

    /// Waits until the guest is off, a failure holds it up, or its time is over.
    fn wait(&mut self, patience: Duration) -> RhaiResultOf<Option<Reached>> {
        let ended = self.wait_until_off(patience);
        match ended.inspect_err(|_| self.tell_of_request())? {
            Ended::Reached(reached) => Ok(Some(reached)),
            Ended::TimedOut => Ok(None),
            Ended::Stuck(stuck) => {
                let Stuck { way_out, .. } = stuck;
                self.held_up = Some((stuck.to_string(), way_out));
                Ok(None)
            }
        }
    }

    fn wait_until_off(&self, limit: Duration) -> RhaiResultOf<Ended> {
        match &self.feed {
            Some(feed) => wait_for_state_since(self.ctx, self.dom, &off(), limit, feed, true),
            None => wait_for_state(self.ctx, self.dom, &off(), limit),
        }
    }

    /// Waits for the next event about this guest or its agent.
    fn next_change(&self, until: Instant) -> RhaiResultOf<()> {
        let fail = |failure| self.fail(failure);
        let watch = self.dom.connection().watch().map_err(fail)?;
        let uuid = self.dom.uuid().to_owned();
        let ours = move |event: &Event| event.uuid == uuid;
        // A driver without agents has no such events.
        let kinds = named(&["lifecycle", "agent_lifecycle"]);
        let feed = watch.collect(&kinds, true, ours);
        let feed = feed.map_err(|(failure, _)| fail(failure))?;
        let interrupt = self.dom.connection().session().interrupt();
        match feed.wait(Some(until), interrupt, |_| Some(())) {
            Outcome::Found(()) | Outcome::TimedOut => Ok(()),
            Outcome::Lost => Err(fail(lost())),
            Outcome::Closed => Err(fail(self.dom.connection().closed())),
            Outcome::Stopped => {
                self.tell_of_request();
                Err(terminated(self.ctx))
            }
        }
    }

    /// Resumes or wakes a guest in the state `from` by `run`; returns the reason if that fails.
    fn ease(
        &mut self,
        from: &'static str,
        call: &'static str,
        run: fn(&virt::domain::Domain) -> Result<(), virt::error::Error>,
    ) -> RhaiResultOf<Option<String>> {
        if let Err(failure) = self.dom.attempt(call, run) {
            self.still_there()?;
            return Ok(Some(format!("it is {from}, and {}", failure.message)));
        }
        self.eased.get_or_insert(from);
        let on = ["running", "blocked", "shutoff", "crashed"].map(str::to_owned);
        let ended = wait_for_state(self.ctx, self.dom, &on, RESUMING);
        ended.inspect_err(|_| self.tell_of_request())?;
        Ok(None)
    }

    /// Pauses a guest again that was paused before and did not stop; returns text for the message.
    fn pause_again(&self) -> Option<String> {
        let running = state_of(self.dom).is_ok_and(|(state, _)| state == "running");
        if self.eased != Some("paused") || !running {
            return self.eased.map(|from| format!("; it was {from} before"));
        }
        let paused = self.dom.attempt("virDomainSuspend", |d| d.suspend());
        Some(match paused {
            Ok(_) => "; it was resumed to be asked, and is paused again".to_owned(),
            Err(failure) => format!(
                "; it was resumed to be asked, and could not be paused again: {}",
                failure.message
            ),
        })
    }

    fn unplug(&self) -> RhaiResultOf<Map> {
        self.dom
            .unplug("virDomainDestroy", virt::domain::Domain::destroy)
            .map_err(|failure| {
                let error = self
                    .dom
                    .error(self.ctx, failure, "virDomainDestroy", "destroy");
                error.throw()
            })?;
        let limit = Duration::from_secs(30);
        let ended = self.wait_until_off(limit)?;
        match ended.reached() {
            Some(reached) if reached.reason == "shutdown" => {
                // It stopped by itself at the last moment.
                Ok(self.report(self.asked.last().unwrap_or(&"nothing"), reached))
            }
            Some(reached) => Ok(self.report("destroy", reached)),
            None => Err(timed_out(self.ctx, self.dom, "shutoff", limit, "")),
        }
    }

    fn report(&self, by: &str, reached: Reached) -> Map {
        let reasons = self.not_asked.iter();
        let not_asked: Map = reasons
            .map(|(name, why)| ((*name).into(), Dynamic::from(why.clone())))
            .collect();
        Stopped {
            state: reached.state.into(),
            reason: reached.reason,
            gone: reached.gone,
            by: by.into(),
            seconds: self.began.elapsed().as_secs_f64(),
            asked: self.asked.iter().map(ToString::to_string).collect(),
            not_asked,
            resumed: self.eased.is_some(),
        }
        .into_map()
    }

    /// The failure of a guest that could not be asked, or that a failure holds up since.
    fn not_heard(&self) -> Box<EvalAltResult> {
        let force = "`stop(#{ force: true })` destroys the guest anyway, as `destroy()` does";
        let (message, hint) = match &self.held_up {
            Some((why, way_out)) => {
                let asked = match self.asked.is_empty() {
                    true => "it cannot be asked to shut down",
                    false => "it was asked to shut down, but cannot",
                };
                (format!("{asked}: {why}"), format!("{way_out}; {force}"))
            }
            None => {
                let reasons: Vec<String> = self
                    .not_asked
                    .iter()
                    .map(|(name, why)| format!("`{name}`: {why}"))
                    .collect();
                let reasons = reasons.join("; ");
                let message = format!("the request to shut down could not be made: {reasons}");
                (message, force.to_owned())
            }
        };
        let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
        let error = self.dom.error(self.ctx, failure, "", "stop");
        error.with_hint(hint).throw()
    }

    /// The attempts that could not be tried, for a message.
    fn not_asked_note(&self) -> String {
        let notes = self.not_asked.iter();
        notes
            .map(|(name, why)| format!("; it could not be asked by `{name}`: {why}"))
            .collect()
    }

    /// Warns that a request to shut down remains in force if the script stops before it took effect.
    fn tell_of_request(&self) {
        let session = self.dom.connection().session();
        if session.interrupt().stopping().is_none() {
            return;
        }
        let name = self.dom.name();
        match (self.asked.is_empty(), self.eased) {
            (true, None) => {}
            (true, Some(from)) => session.note(&format!(
                "the guest `{name}` was {from}, and runs now"
            )),
            (false, None) => session.note(&format!(
                "the guest `{name}` was asked to shut down, and may still do so"
            )),
            (false, Some(from)) => session.note(&format!(
                "the guest `{name}` was {from}; it runs now, was asked to shut down, and may still do so"
            )),
        }
    }

    /// Fails if asking in another way is of no use: the connection is lost or closed, or the
    /// script is being stopped.
    fn still_there(&self) -> RhaiResultOf<()> {
        let connection = self.dom.connection();
        if connection.session().interrupt().stopping().is_some() {
            self.tell_of_request();
            return Err(terminated(self.ctx));
        }
        let alive = connection
            .connect()
            .and_then(|connect| connect.is_alive().map_err(Failure::from));
        alive
            .and_then(|alive| if alive { Ok(()) } else { Err(lost()) })
            .map_err(|failure| self.fail(failure))
    }

    fn fail(&self, failure: Failure) -> Box<EvalAltResult> {
        let error = self
            .dom
            .error(self.ctx, failure, "virDomainShutdownFlags", "stop");
        error.throw()
    }
}

/// The state that a guest is stopped in.
fn off() -> [String; 1] {
    ["shutoff".to_owned()]
}

/// True if the driver does not know the given flag.
fn is_unsupported(failure: &Failure) -> bool {
    let codes = [
        virt_sys::VIR_ERR_INVALID_ARG,
        virt_sys::VIR_ERR_NO_SUPPORT,
        virt_sys::VIR_ERR_ARGUMENT_UNSUPPORTED,
    ];
    codes.map(i64::from).contains(&failure.code)
}
