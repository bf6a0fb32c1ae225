//! Formats durations for messages.

use std::time::Duration;

/// A duration in whole units, as a script writes it: `1m 30s`, `250ms`. The longer the duration,
/// the coarser the rounding.
pub fn plain_duration(time: Duration) -> humantime::FormattedDuration {
    let step = match time {
        time if time >= Duration::from_secs(10) => 1_000_000_000,
        time if time >= Duration::from_secs(1) => 100_000_000,
        time if time >= Duration::from_millis(1) => 1_000_000,
        _ => 1_000,
    };
    let rounded = (time.as_nanos() + step / 2) / step * step;
    let rounded = u64::try_from(rounded).map_or(time, Duration::from_nanos);
    humantime::format_duration(rounded)
}

/// The same without microseconds, for measured durations.
pub fn plain_millis(time: Duration) -> humantime::FormattedDuration {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    plain_duration(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::plain_duration;

    #[test]
    fn durations_are_rounded() {
        for (nanoseconds, text) in [
            (59_999_632_714, "1m"),
            (90_000_000_000, "1m 30s"),
            (1_500_000_000, "1s 500ms"),
            (1_534_000_001, "1s 500ms"),
            (250_400_000, "250ms"),
            (0, "0s"),
        ] {
            let time = Duration::from_nanos(nanoseconds);
            assert_eq!(plain_duration(time).to_string(), text);
        }
    }
}
