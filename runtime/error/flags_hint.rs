//! The names of flags that libvirt refuses by their number.

use crate::constants::{self, Value};
use crate::libvirt::Failure;

/// Advice on `failure` of `call` on the host `uri`, if libvirt does not take a flag.
pub(super) fn hint(failure: &Failure, call: &str, uri: &str) -> Option<String> {
    let (_, rest) = failure.message.split_once("unsupported flags (0x")?;
    let bits = i64::from_str_radix(rest.split(')').next()?, 16).ok()?;
    let enumerations = constants::enumerations(call, "flags").unwrap_or_default();
    let names: Vec<&str> = enumerations
        .iter()
        .flat_map(|group| constants::group(group))
        .filter(|constant| match constant.value {
            Value::Integer(value) => value.count_ones() == 1 && value & bits != 0,
            Value::Text(_) => false,
        })
        .map(|constant| constant.name)
        .collect();
    let refused = match names.is_empty() {
        true => format!("this call has no flag {bits:#x}"),
        false => format!("this hypervisor does not have {}", names.join(", ")),
    };
    Some(match ways(call, uri) {
        Some(ways) => format!("{refused}; it has {ways}"),
        None => format!("{refused}: leave it out"),
    })
}

/// The ways to ask a guest to go off or to boot again that the driver of `uri` has.
fn ways(call: &str, uri: &str) -> Option<String> {
    let kind = match call {
        "virDomainShutdownFlags" => "SHUTDOWN",
        "virDomainReboot" => "REBOOT",
        _ => return None,
    };
    let driver = uri.split([':', '+']).next()?;
    let ways: &[&str] = match driver {
        "qemu" => &["ACPI_POWER_BTN", "GUEST_AGENT"],
        "lxc" => &["INITCTL", "SIGNAL"],
        "xen" => &["PARAVIRT", "ACPI_POWER_BTN"],
        "test" => return Some("none".into()),
        _ => return None,
    };
    let names: Vec<String> = ways
        .iter()
        .map(|way| format!("VIR_DOMAIN_{kind}_{way}"))
        .collect();
    Some(names.join(" and "))
}
