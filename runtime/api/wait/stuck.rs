//! The states that a guest can still reach. A wait for a state that it cannot reach by itself would only end at its
//! timeout.
//!
//! Other users may start a guest that is off, and may resume one that was paused on purpose: that is normal, and a wait
//! goes on. A guest that was paused by a failure must be repaired first.

/// The states that a guest reaches after a start or a resume.
const ALIVE: [&str; 2] = ["running", "blocked"];

/// The known facts about the guest.
pub(crate) struct Seen<'a> {
    /// The state as `state()` calls it.
    pub(crate) state: &'a str,
    /// The reason for it.
    pub(crate) reason: &'a str,
    /// True if the guest has been active since the wait began.
    pub(crate) was_active: bool,
    /// True if libvirt keeps a crashed guest as it is.
    pub(crate) keeps_crashed: bool,
}

/// The way out, where a guest that is as `seen` cannot reach any state of `wanted` by itself.
pub(crate) fn way_out(seen: &Seen, wanted: &[String]) -> Option<&'static str> {
    let wants = |states: &[&str]| wanted.iter().any(|word| states.contains(&word.as_str()));
    match seen.state {
        "paused" if !wants(&ALIVE) && !wants(&["paused"]) => failed_pause(seen),
        "crashed" if seen.keeps_crashed && !wants(&ALIVE) && !wants(&["crashed"]) => {
            Some("call `destroy()` to remove it or `reset()` to boot it again")
        }
        "shutoff" if !wants(&ALIVE) && !wants(&["shutoff", "undefined"]) => {
            let ended = seen.was_active || ["crashed", "failed"].contains(&seen.reason);
            ended.then_some("call `create()` to start it")
        }
        _ => None,
    }
}

/// The way out of a pause that a failure caused.
pub(crate) fn failed_pause(seen: &Seen) -> Option<&'static str> {
    match seen.reason {
        "ioerror" => Some(
            "a disk failed, for example because the file system is full: repair it and call `resume()`, or call `destroy()`",
        ),
        "watchdog" => Some("its watchdog paused it: call `resume()`, `reset()` or `destroy()`"),
        "api_error" => Some("an operation on it failed: call `resume()` or `destroy()`"),
        "postcopy_failed" => Some(
            "its migration failed halfway: call `migrate` again with VIR_MIGRATE_POSTCOPY_RESUME, or call `destroy()`",
        ),
        "crashed" if seen.keeps_crashed => Some("call `destroy()` or `reset()`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_stuck(state: &str, reason: &str, was_active: bool, wanted: &[&str]) -> bool {
        let wanted: Vec<String> = wanted.iter().map(|&word| word.to_owned()).collect();
        let seen = Seen {
            state,
            reason,
            was_active,
            keeps_crashed: true,
        };
        way_out(&seen, &wanted).is_some()
    }

    #[test]
    fn a_guest_that_a_failure_paused_does_not_go_off_by_itself() {
        for reason in [
            "ioerror",
            "watchdog",
            "api_error",
            "postcopy_failed",
            "crashed",
        ] {
            for goal in ["shutoff", "crashed", "undefined", "pmsuspended"] {
                assert!(
                    is_stuck("paused", reason, true, &[goal]),
                    "{reason}: {goal}"
                );
            }
            assert!(!is_stuck("paused", reason, true, &["shutoff", "running"]));
            assert!(!is_stuck("paused", reason, true, &["paused"]));
        }
    }

    #[test]
    fn a_guest_that_somebody_paused_may_be_resumed() {
        for reason in [
            "user",
            "migration",
            "save",
            "dump",
            "snapshot",
            "starting_up",
            "unknown",
        ] {
            assert!(!is_stuck("paused", reason, true, &["shutoff"]), "{reason}");
        }
    }

    #[test]
    fn a_guest_that_is_off_may_be_started_and_does_not_pause() {
        assert!(!is_stuck("shutoff", "destroyed", true, &["running"]));
        assert!(!is_stuck(
            "shutoff",
            "crashed",
            true,
            &["paused", "running"]
        ));
        assert!(!is_stuck("shutoff", "shutdown", false, &["paused"]));
        assert!(!is_stuck("shutoff", "shutdown", true, &["undefined"]));
        assert!(is_stuck("shutoff", "shutdown", true, &["paused"]));
        assert!(is_stuck(
            "shutoff",
            "crashed",
            false,
            &["paused", "pmsuspended"]
        ));
    }

    #[test]
    fn a_crash_that_libvirt_still_handles_is_not_the_end() {
        let wanted = ["shutoff".to_owned()];
        for (state, reason) in [("crashed", "panicked"), ("paused", "crashed")] {
            for (keeps_crashed, stuck) in [(true, true), (false, false)] {
                let seen = Seen {
                    state,
                    reason,
                    was_active: true,
                    keeps_crashed,
                };
                assert_eq!(way_out(&seen, &wanted).is_some(), stuck, "{state}");
            }
        }
    }
}
