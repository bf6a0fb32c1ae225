//! Durations as the command line and scripts write them.

use std::time::Duration;

/// How a duration is written, for hints.
pub const HINT: &str = "a duration is a number of seconds, or text such as \"90s\" or \"5m\"";

/// The duration that `text` means: `90`, `90s`, `1m 30s`.
pub fn parse(text: &str) -> Option<Duration> {
    match text.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => humantime::parse_duration(text).ok(),
    }
}
