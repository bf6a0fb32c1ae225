//! Hints for failures that depend on a domain's state.

use virt_sys as sys;

use crate::libvirt::Failure;

/// True if `failure` may depend on the state of an object.
pub(crate) fn may_matter(failure: &Failure) -> bool {
    let message = failure.message.as_str();
    // The test driver calls it an internal error.
    match u32::try_from(failure.code).unwrap_or_default() {
        sys::VIR_ERR_OPERATION_INVALID => true,
        sys::VIR_ERR_INTERNAL_ERROR => !failure.lost_connection() && is_about_state(message),
        _ => false,
    }
}

fn is_about_state(message: &str) -> bool {
    ["running", "paused", "active"]
        .iter()
        .any(|word| message.contains(word))
}

/// The hint for `failure` of a domain in the state `state`, if there is a certain one.
pub(super) fn advice(failure: &Failure, call: &str, state: &str) -> Option<String> {
    let message = failure.message.as_str();
    if message.contains("managed save") || message.contains("autodestroy") {
        return None;
    }
    if message.contains("transient") && !message.contains("snapshot") {
        let way = match call.starts_with("virDomainUndefine") {
            true => "`destroy()` stops and removes it",
            false => "`guest::keep(dom)` of `std/guest` makes it persistent",
        };
        return Some(format!("the domain is {state} and transient: {way}"));
    }
    let way = if message.contains("not running") || message.contains("is not active") {
        match state {
            "shutoff" if call.starts_with("virDomainMigrate") => {
                "VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST moves its definition, `create()` starts it"
            }
            "shutoff" => "`create()` starts it",
            "crashed" => "call `destroy()` first; then `create()` starts it",
            "paused" => "`resume()` resumes it",
            "pmsuspended" => "`pm_wakeup()` wakes it",
            "shutdown" => "it is shutting down; `create()` starts it when it is shutoff",
            _ => return None,
        }
    } else if is_about_state(message) && !message.contains("job") {
        let starts = call.starts_with("virDomainCreate");
        match state {
            "running" if call == "virDomainResume" => "`suspend()` pauses it",
            "running" if starts => "`reboot()` boots it again, `destroy()` stops it",
            "paused" if starts => "`resume()` resumes it",
            "running" => "`shutdown()` asks it to shut down, `destroy()` stops it at once",
            "paused" => "`destroy()` stops it",
            _ => return None,
        }
    } else {
        return None;
    };
    Some(format!("the domain is {state}: {way}"))
}

#[cfg(test)]
mod tests {
    use super::advice;
    use crate::libvirt::Failure;

    fn told(message: &str, call: &str, state: &str) -> Option<String> {
        let failure = Failure::new(virt_sys::VIR_ERR_OPERATION_INVALID, message);
        advice(&failure, call, state)
    }

    #[test]
    fn the_state_is_said_with_what_makes_the_call_valid() {
        for (message, call, state, wanted) in [
            (
                "domain is not running",
                "virDomainShutdown",
                "shutoff",
                "the domain is shutoff: `create()` starts it",
            ),
            (
                "domain is not running",
                "virDomainMigrate3",
                "shutoff",
                "the domain is shutoff: VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST moves its definition, `create()` starts it",
            ),
            (
                "domain is not running",
                "virDomainSuspend",
                "paused",
                "the domain is paused: `resume()` resumes it",
            ),
            (
                "domain is already running",
                "virDomainCreate",
                "running",
                "the domain is running: `reboot()` boots it again, `destroy()` stops it",
            ),
            (
                "cannot rename active domain",
                "virDomainRename",
                "running",
                "the domain is running: `shutdown()` asks it to shut down, `destroy()` stops it at once",
            ),
            (
                "cannot undefine transient domain",
                "virDomainUndefine",
                "running",
                "the domain is running and transient: `destroy()` stops and removes it",
            ),
        ] {
            assert_eq!(told(message, call, state).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn nothing_is_advised_where_the_state_is_not_the_reason() {
        for (message, state) in [
            ("cannot delete inactive domain with 1 snapshots", "shutoff"),
            ("no job is active on the domain", "running"),
            ("domain does not have managed save image", "shutoff"),
            ("cannot halt after transient domain snapshot", "running"),
            ("Can't rename domain to itself", "shutoff"),
        ] {
            assert_eq!(told(message, "virDomainUndefine", state), None, "{message}");
        }
    }
}
