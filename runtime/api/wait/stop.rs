//! Stopping a guest for certain.

use std::time::{Duration, Instant};

use rhai::{Dynamic, Map, NativeCallContext};

use super::lost;
use super::state::{
    Ended, Reached, events_so_far, stuck, timed_out, wait_for_state, wait_for_state_since,
};
use crate::api::arguments::{RhaiResultOf, duration, unknown_key};
use crate::api::domain::Domain;
use crate::api::option_keys;
use crate::error::Error;
use crate::exit::terminated;
use crate::libvirt::Failure;

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
    // A guest that a failure holds up hears no request.
    let mut held_up = match wait_for_state(ctx, dom, &off, Duration::ZERO)? {
        Ended::Reached(reached) => return Ok(report("nothing", reached)),
        Ended::Stuck(why) => Some(why),
        Ended::TimedOut => None,
    };
    let place = events_so_far(ctx, dom)?;
    let wait = |patience| {
        wait_for_state_since(ctx, dom, &off, patience, place, true)
            .inspect_err(|_| tell_of_request(dom))
    };
    let rungs = [
        (
            "shutdown",
            virt_sys::VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
            shutdown,
        ),
        ("agent", virt_sys::VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, agent),
    ];
    for (by, way, patience) in rungs {
        if patience.is_zero() || held_up.is_some() {
            continue;
        }
        // The driver may not have that way to ask, or the guest no agent: the next rung will do.
        let asked = dom.attempt("virDomainShutdownFlags", move |d| {
            match d.shutdown_flags(way) {
                Err(_) if by == "shutdown" => d.shutdown(),
                asked => asked,
            }
        });
        let asked = match asked {
            Ok(()) => true,
            // An agent that goes while it is asked was asked: it may go before it can answer.
            Err(failure) if failure.message.contains("disappeared") => true,
            Err(_) => {
                still_there(ctx, dom)?;
                false
            }
        };
        if !asked {
            continue;
        }
        match wait(patience)? {
            Ended::Reached(reached) => return Ok(report(by, reached)),
            Ended::Stuck(why) => held_up = Some(why),
            Ended::TimedOut => {}
        }
    }
    if !pull {
        if let Some(why) = held_up {
            return Err(stuck(ctx, dom, "shutoff", &why));
        }
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
                .reached()
                .map(|reached| report("shutdown", reached))
                .ok_or(error);
        }
    }
    let ended = wait(Duration::from_secs(30))?;
    ended
        .reached()
        .map(|reached| report("destroy", reached))
        .ok_or_else(|| timed_out(ctx, dom, "shutoff", Duration::from_secs(30)))
}

/// Says that a request to shut down stays, where the script is stopped before it took effect.
fn tell_of_request(dom: &Domain) {
    let session = dom.connection().session();
    if session.interrupt().stopping().is_some() {
        session.note(&format!(
            "the guest `{}` was asked to shut down, and may still do so",
            dom.name()
        ));
    }
}

/// Fails where asking in another way is of no use: the connection is lost or closed, or the
/// script is being stopped.
fn still_there(ctx: &NativeCallContext, dom: &Domain) -> RhaiResultOf<()> {
    if dom.connection().session().interrupt().stopping().is_some() {
        return Err(terminated(ctx));
    }
    let connection = dom.connection().connect();
    connection
        .and_then(|connect| connect.is_alive().map_err(Failure::from))
        .and_then(|alive| if alive { Ok(()) } else { Err(lost()) })
        .map_err(|failure| {
            dom.error(ctx, failure, "virDomainShutdownFlags", "stop")
                .throw()
        })
}
