//! Durations as the command line and scripts write them.

use std::time::Duration;

use rhai::Dynamic;

/// The form of a duration, for hints.
pub const HINT: &str = "write it as \"90s\", \"5m\" or \"1h 30m\", or as seconds";

/// The duration that `text` means: `90`, `90s`, `1m 30s`.
pub fn parse(text: &str) -> Option<Duration> {
    match text.trim().parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        // humantime takes a single `M` for months, and most who write it mean minutes.
        Err(_) if has_capital_m(text) => None,
        Err(_) => humantime::parse_duration(text).ok(),
    }
}

fn has_capital_m(text: &str) -> bool {
    let mut units = text.split(|letter: char| !letter.is_alphabetic());
    units.any(|unit| unit == "M")
}

/// The hint on `text`, which is not a duration.
pub fn hint(text: &str) -> &'static str {
    match has_capital_m(text) {
        true => "a small `m` is minutes, as in \"5m\", and `months` are months, as in \"5months\"",
        false => HINT,
    }
}

/// The duration that `value` is: seconds, or text such as `"90s"`.
pub fn of_value(value: &Dynamic) -> Option<Duration> {
    let whole = || value.as_int().ok().map(|seconds| seconds as f64);
    match value.as_float().ok().or_else(whole) {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => parse(&value.clone().into_immutable_string().ok()?),
    }
}
