//! Waits for guests, and stops guests reliably.

mod detach;
mod event;
mod hearing;
mod job;
mod state;
mod stop;
mod stuck;
mod subject;

use std::time::Duration;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, FnPtr, Map, NativeCallContext, exported_module};

use super::arguments::{DurationValue, RhaiResultOf, duration};
use super::event::{Event, EventFilterValue};
use crate::libvirt::Failure;
use crate::libvirt::events::Event as Told;
use crate::libvirt::typed_params::Scalar;
use crate::objects::connection::Connection;
use crate::objects::domain::Domain;
use crate::run::session::Session;
use crate::run::waiting::Waiting;
use crate::vocabulary::{Declared, DomainGoal, OptionsOf, RecordOf, WordsOf};
pub(crate) use detach::until_detached;
pub(crate) use state::held_up;
use state::{Ended, Waited, timed_out, wait_for_state};
use stop::{StopOptions, Stopped};

/// The maps that these calls take and return.
pub(super) const DECLARED: &[&Declared] =
    &[StopOptions::DECLARED, Stopped::DECLARED, Waited::DECLARED];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_global_module(exported_module!(functions).into());
}

fn lost() -> Failure {
    Failure::lost("the connection was lost while waiting")
}

fn field<'a>(event: &'a Told, name: &str) -> Option<&'a str> {
    event
        .fields
        .iter()
        .find(|(known, _)| known == name)
        .and_then(|(_, value)| match value {
            Scalar::Text(text) => Some(text.as_str()),
            _ => None,
        })
}

#[export_module]
mod functions {
    /// Waits until the guest is in a state, or in one of a list of them, and returns it as
    /// `#{ state, reason, gone }`.
    ///
    /// The states are those of `state()`, and `undefined` for a domain that libvirt no longer knows. A transient domain
    /// is gone when it has stopped: that counts as `shutoff`, with the reason of its end and `gone` true. Throws
    /// `VIR_ERR_OPERATION_TIMEOUT` with the last seen state, and `VIR_ERR_NO_DOMAIN` if the domain is gone and can
    /// never reach the state.
    ///
    /// Throws `VIR_ERR_OPERATION_INVALID` at once if the guest cannot reach the state by itself: a guest
    /// that is `paused (ioerror)` does not shut off, and a guest that is off after a crash does not
    /// pause. The wait continues if another client can still start or resume the guest.
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
        states: WordsOf<DomainGoal>,
        timeout: DurationValue,
    ) -> RhaiResultOf<RecordOf<Waited>> {
        let wanted = state::states(&ctx, &states)?;
        let timeout = duration(&ctx, &timeout)?;
        let mut ended = match dom.connection().is_rehearsed() {
            true => wait_for_state(&ctx, dom, &wanted, Duration::ZERO)?,
            false => wait_for_state(&ctx, dom, &wanted, timeout)?,
        };
        if dom.connection().is_rehearsed() && matches!(ended, Ended::TimedOut) {
            let fail = |failure| dom.error(&ctx, failure, "", "wait for").throw();
            state::assume_state(dom, &wanted).map_err(fail)?;
            ended = wait_for_state(&ctx, dom, &wanted, timeout)?;
        }
        match ended {
            Ended::Reached(reached) => Ok(reached.into_map()),
            Ended::TimedOut => Err(timed_out(&ctx, dom, &wanted.join(" or "), timeout, "")),
            Ended::Stuck(why) => Err(state::stuck(&ctx, dom, &wanted.join(" or "), &why)),
        }
    }

    /// Stops the guest reliably: asks it to shut down, asks its agent after one minute, and destroys it 30 seconds
    /// later.
    ///
    /// A paused guest is resumed for the request, and a sleeping one is woken. Throws `VIR_ERR_OPERATION_INVALID`, and
    /// does not destroy the guest, if the guest cannot receive a request: it was paused by a failure, or it has neither
    /// ACPI nor an agent.
    ///
    /// Returns the state with `by`, the step that stopped it (`shutdown`, `agent`, `destroy`, or `nothing` if it was
    /// already off or went off without a request), and `seconds`; `asked` lists the requests that were made,
    /// `not_asked` has the reason for each request that could not be made, and `resumed` is true if the guest was paused or asleep.
    ///
    /// ```rhai
    /// let stopped = connect("test:///default").lookup_by_name("test").stop();
    /// assert_eq(stopped.by, "shutdown");
    /// assert_eq(stopped.state, "shutoff");
    /// ```
    /// Calls virDomainShutdownFlags, virDomainDestroy.
    #[rhai_fn(name = "stop", pure, return_raw)]
    pub fn stop_default(
        ctx: NativeCallContext,
        dom: &mut Domain,
    ) -> RhaiResultOf<RecordOf<Stopped>> {
        stop::stop(&ctx, dom, &Map::new())
    }

    /// Stops the guest; `shutdown` and `agent` are the time limits of these two steps, as durations. 0 skips a step.
    ///
    /// `destroy: false` throws instead of destroying the guest, and pauses a guest again that was paused. `force: true`
    /// destroys the guest even if it could not receive a request.
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
        options: OptionsOf<StopOptions>,
    ) -> RhaiResultOf<RecordOf<Stopped>> {
        stop::stop(&ctx, dom, &options)
    }

    /// Waits for the next event that matches a filter: a kind of event, a map of fields, or an array
    /// of these. Returns the event as a map with `kind`, the name of the object under its kind
    /// (`domain`, `network`, `storage_pool`, `node_device`, `secret`), its `uuid`, and the other
    /// fields of the event.
    ///
    /// Only events after the call count: pass the code that causes the event as a third argument. In a map, an object
    /// can be given as itself: `#{ kind: "device_removed", domain: dom }`. Without a kind, the event is a lifecycle
    /// event, with `event` (`started`, `stopped`, ...) and for domains `detail` (`booted`, `destroyed`, ...): of the
    /// network if the map has `network`, and so on. The error for an unknown kind lists the known ones. The kind
    /// `qemu_monitor` stands for the events of QEMU's own monitor, with the name in `event` and the JSON in `details`.
    ///
    /// Throws `VIR_ERR_OPERATION_INVALID` if no such event can come any more: a guest that is off sends no events about
    /// block jobs, jobs or devices, and a domain that is gone sends no events at all.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// try {
    ///     conn.wait_event("storage_pool_refresh", "10ms");
    ///     assert(false);
    /// } catch (err) {
    ///     assert_eq(err.code, "VIR_ERR_OPERATION_TIMEOUT");
    /// }
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectDomainEventDeregisterAny, virConnectNetworkEventDeregisterAny, virConnectStoragePoolEventDeregisterAny, virConnectNodeDeviceEventDeregisterAny, virConnectSecretEventDeregisterAny, virConnectDomainQemuMonitorEventDeregister, virConnectRegisterCloseCallback, virConnectUnregisterCloseCallback.
    #[rhai_fn(name = "wait_event", pure, return_raw)]
    pub fn wait_event_after(
        ctx: NativeCallContext,
        conn: &mut Connection,
        event: EventFilterValue,
        timeout: DurationValue,
    ) -> RhaiResultOf<RecordOf<Event>> {
        event::wait_event(&ctx, conn, &event, &timeout, None)
    }

    /// Runs `action` and waits for an event that it causes; no event in between is missed.
    ///
    /// ```rhai
    /// let conn = connect("test:///default");
    /// let dom = conn.lookup_by_name("test");
    /// let event = conn.wait_event(#{ event: "stopped", domain: dom }, "10s", || dom.destroy());
    /// assert_eq(event.detail, "destroyed");
    /// let net = conn.network_lookup_by_name("default");
    /// let event = conn.wait_event(#{ network: net }, "10s", || net.destroy());
    /// assert_eq([event.kind, event.event], ["network_lifecycle", "stopped"]);
    /// ```
    /// Calls virConnectDomainEventRegisterAny, virConnectNetworkEventRegisterAny, virConnectStoragePoolEventRegisterAny, virConnectNodeDeviceEventRegisterAny, virConnectSecretEventRegisterAny, virConnectDomainQemuMonitorEventRegister, virConnectDomainEventDeregisterAny, virConnectNetworkEventDeregisterAny, virConnectStoragePoolEventDeregisterAny, virConnectNodeDeviceEventDeregisterAny, virConnectSecretEventDeregisterAny, virConnectDomainQemuMonitorEventDeregister, virConnectRegisterCloseCallback, virConnectUnregisterCloseCallback.
    #[rhai_fn(name = "wait_event", pure, return_raw)]
    pub fn wait_event_of(
        ctx: NativeCallContext,
        conn: &mut Connection,
        event: EventFilterValue,
        timeout: DurationValue,
        action: FnPtr,
    ) -> RhaiResultOf<RecordOf<Event>> {
        event::wait_event(&ctx, conn, &event, &timeout, Some(&action))
    }

    /// Runs `action` and returns its result. After two seconds virhai prints that it waits for `what`, as it does
    /// during a long call: on a terminal, or with `-v`.
    ///
    /// For a wait that consists of many short calls, which are then not reported one by one.
    ///
    /// ```rhai
    /// let dom = connect("test:///default").lookup_by_name("test");
    /// let state = waiting_for("the guest `test` to run", || {
    ///     while dom.state() != "running" { sleep("100ms"); }
    ///     dom.state()
    /// });
    /// assert_eq(state, "running");
    /// ```
    /// Calls no libvirt function.
    #[rhai_fn(volatile, return_raw)]
    pub fn waiting_for(ctx: NativeCallContext, what: &str, action: FnPtr) -> RhaiResultOf<Dynamic> {
        let _waiting = Waiting::new(&Session::of(&ctx), || what.to_owned());
        action.call_within_context(&ctx, ())
    }
}
