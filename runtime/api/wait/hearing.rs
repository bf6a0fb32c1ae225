//! Checks whether a guest can receive a request to shut down.

use super::state::{held_up, state_of};
use crate::libvirt::Failure;
use crate::objects::domain::Domain;
use crate::xml::Xml;

/// The ability of a guest to receive a request.
pub(super) enum Hearing {
    Yes,
    /// Somebody paused it: it can once it is resumed.
    Paused,
    /// Its own power management put it to sleep: it can once it is woken.
    Asleep,
    /// libvirt holds it for a moment, for example to save it.
    Busy(String),
    /// A failure holds it up: somebody must repair that first.
    Failed {
        why: String,
        way_out: &'static str,
    },
}

/// Checks whether `dom` can receive a request in its present state.
pub(super) fn hearing(dom: &Domain) -> Result<Hearing, Failure> {
    if let Some((why, way_out)) = held_up(dom) {
        return Ok(Hearing::Failed { why, way_out });
    }
    let (state, reason) = state_of(dom)?;
    Ok(match (state.as_str(), reason.as_str()) {
        // A snapshot of a paused guest is reverted to paused.
        ("paused", "user" | "unknown" | "from_snapshot") => Hearing::Paused,
        ("pmsuspended", _) => Hearing::Asleep,
        ("paused" | "crashed" | "shutdown", _) => {
            Hearing::Busy(format!("it is {state} ({reason})"))
        }
        _ => Hearing::Yes,
    })
}

/// The reason why the power button of `dom` has no effect, if there is one.
pub(super) fn no_power_button(dom: &Domain) -> Option<&'static str> {
    let xml = dom
        .attempt("virDomainGetXMLDesc", |handle| handle.xml_desc(0))
        .ok()?;
    let xml = Xml::parse(xml).ok()?;
    let is = |path: &str, words: &[&str]| {
        let value = xml.find(path).ok().flatten().unwrap_or_default();
        words.contains(&value.as_str())
    };
    // Elsewhere it is a separate device.
    let acpi = is("@type", &["kvm", "qemu"]) && is("os/type/@arch", &["x86_64", "i686"]);
    (acpi && !xml.has("features/acpi").ok()?)
        .then_some("its XML lacks <acpi/> in <features>, so that it has no power button")
}
