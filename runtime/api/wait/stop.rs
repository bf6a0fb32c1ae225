//! Stopping a guest for certain.

use std::time::{Duration, Instant};

use rhai::{Dynamic, Map, NativeCallContext};

use super::lost;
use super::state::{Reached, events_so_far, timed_out, wait_for_state, wait_for_state_since};
use crate::api::arguments::{RhaiResultOf, duration, unknown_key};
use crate::api::domain::Domain;
use crate::api::option_keys;
use crate::error::Error;

/// Asks, asks again through the agent, and pulls the plug; answers which of them did it.
pub(super) fn stop(ctx: &NativeCallContext, dom: &Domain, options: &Map) -> RhaiResultOf<Map> {
    unknown_key(ctx, options, option_keys::STOP.into_iter())?;
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
