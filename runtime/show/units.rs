//! Numbers with their unit in the key, in units for people.

use std::time::Duration;

use bytesize::ByteSize;
use rhai::Dynamic;

/// A figure, followed by the same value in a larger unit if the larger unit is clearer.
pub fn with_unit(key: &str, value: &Dynamic) -> Option<String> {
    let figure = value.as_int().ok()?;
    let readable = readable(key, u64::try_from(figure).ok()?)?;
    Some(format!("{figure} ({readable})"))
}

fn readable(key: &str, figure: u64) -> Option<String> {
    let (key, per_second) = match key.strip_suffix("_per_s") {
        Some(key) => (key, "/s"),
        None => (key, ""),
    };
    let (_, unit) = key.rsplit_once('_')?;
    let bytes = |size: u64| Some(size).filter(|size| *size >= 1024);
    let size = match unit {
        "bytes" => bytes(figure)?,
        "kib" => bytes(figure)?.checked_mul(1 << 10)?,
        "mib" => bytes(figure)?.checked_mul(1 << 20)?,
        _ => return time(unit, figure),
    };
    // libvirt's value for "no limit" would read as exabytes.
    (size < 1 << 60).then(|| format!("{}{per_second}", ByteSize(size)))
}

fn time(unit: &str, figure: u64) -> Option<String> {
    let time = match unit {
        "ns" if figure >= 1_000 => Duration::from_nanos(figure),
        "us" if figure >= 1_000 => Duration::from_micros(figure),
        "ms" if figure >= 1_000 => Duration::from_millis(figure),
        "s" if figure >= 60 => Duration::from_secs(figure),
        _ => return None,
    };
    // A larger value is a point in time, such as milliseconds since 1970, and not a duration.
    if time > Duration::from_secs(20 * 365 * 86_400) {
        return None;
    }
    Some(duration(time))
}

/// A duration in its largest unit, to two places.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 60.0 {
        return humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
    }
    for (limit, unit) in [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")] {
        if seconds >= limit {
            let figure = format!("{:.2}", seconds / limit);
            let figure = figure.trim_end_matches('0').trim_end_matches('.');
            return format!("{figure} {unit}");
        }
    }
    format!("{} ns", time.as_nanos())
}

#[cfg(test)]
mod tests {
    use rhai::Dynamic;

    use super::with_unit;

    #[test]
    fn figures_are_read_in_units_that_people_use() {
        for (key, figure, text) in [
            ("memory_kib", 2_097_152, Some("2097152 (2.0 GiB)")),
            ("capacity_bytes", 1_048_576, Some("1048576 (1.0 MiB)")),
            ("bandwidth_mib_per_s", 2_048, Some("2048 (2.0 GiB/s)")),
            ("bandwidth_mib", i64::MAX, None),
            ("read_bytes", 512, None),
            ("cpu_time_ns", 61_500_000_000, Some("61500000000 (1m 1s)")),
            ("cpu_time_ns", 1_234_000_000, Some("1234000000 (1.23 s)")),
            ("time_elapsed_ms", 2_500, Some("2500 (2.5 s)")),
            ("login_time_ms", 1_700_000_000_000, None),
            ("expirytime_s", 3_600, Some("3600 (1h)")),
            ("vcpus", 4_000, None),
            ("tx_bytes", -1, None),
        ] {
            let value = Dynamic::from(figure);
            assert_eq!(with_unit(key, &value).as_deref(), text, "{key}");
        }
    }
}
