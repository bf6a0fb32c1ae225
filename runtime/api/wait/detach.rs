//! Waiting until a guest has released a device.

use std::time::{Duration, Instant};

use rhai::NativeCallContext;

use super::{field, held_up, lost};
use crate::api::arguments::RhaiResultOf;
use crate::api::domain::Device;
use crate::libvirt::Failure;
use crate::objects::domain::Domain;
use crate::objects::watch::{Outcome, named};
use crate::run::exit::terminated;
use crate::run::waiting::Waiting;

/// Events that report that a guest released a device, refused the release, or ended.
const KINDS: [&str; 3] = ["device_removed", "device_removal_failed", "lifecycle"];

enum Answer {
    Removed,
    Refused,
    /// Something else happened to the guest, which may have taken the device with it.
    Look,
}

/// Calls `ask` to detach `device` and waits until the running guest has released it.
pub(crate) fn until_detached(
    ctx: &NativeCallContext,
    dom: &Domain,
    device: &Device,
    timeout: Duration,
    ask: impl FnOnce() -> RhaiResultOf<()>,
) -> RhaiResultOf<()> {
    let verb = || format!("detach {device} from");
    let fail = |failure| dom.error(ctx, failure, "", verb());
    let there = || -> RhaiResultOf<Vec<String>> {
        let xml = dom.call(ctx, "virDomainGetXMLDesc", verb(), |d| d.xml_desc(0))?;
        Ok(device.aliases_in(&xml))
    };
    let before = there()?;
    let _waiting = Waiting::new(dom.connection().session(), || dom.action(&verb()));
    let watch = dom
        .connection()
        .watch()
        .map_err(|failure| fail(failure).throw())?;
    let uuid = dom.uuid().to_owned();
    let feed = watch
        .collect(&named(&KINDS), false, move |event| event.uuid == uuid)
        .map_err(|(failure, _)| fail(failure).throw())?;
    ask()?;
    let deadline = Instant::now().checked_add(timeout);
    let interrupt = dom.connection().session().interrupt();
    loop {
        let now = there()?;
        if before.is_empty() || before.iter().any(|alias| !now.contains(alias)) {
            return Ok(());
        }
        if let Some((why, way_out)) = held_up(dom) {
            let message = format!("{why}, and a guest releases a device only while it runs");
            let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
            return Err(fail(failure).with_hint(way_out).throw());
        }
        let answer = feed.wait(deadline, interrupt, |event| {
            if event.kind == "lifecycle" {
                return Some(Answer::Look);
            }
            let ours = field(event, "device")
                .is_some_and(|alias| before.iter().any(|known| known == alias));
            ours.then_some(match event.kind {
                "device_removed" => Answer::Removed,
                _ => Answer::Refused,
            })
        });
        match answer {
            Outcome::Found(Answer::Look) => {}
            Outcome::Found(Answer::Removed) => return Ok(()),
            Outcome::Found(Answer::Refused) => {
                let failure = Failure::new(
                    virt_sys::VIR_ERR_OPERATION_FAILED,
                    "the guest refused to release it",
                );
                return Err(fail(failure).throw());
            }
            Outcome::TimedOut => {
                let waited = crate::run::duration_text::plain_duration(timeout);
                let message = format!("waited {waited} for the guest to release it");
                let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_TIMEOUT, message);
                return Err(fail(failure)
                    .with_hint(
                        "a guest releases a device only if its system answers; the request remains",
                    )
                    .throw());
            }
            Outcome::Lost => return Err(fail(lost()).throw()),
            Outcome::Closed => return Err(fail(dom.connection().closed()).throw()),
            Outcome::Stopped => {
                dom.connection().session().note(&format!(
                    "the guest `{}` was asked to release {device}, and may still do so",
                    dom.name()
                ));
                return Err(terminated(ctx));
            }
        }
    }
}
