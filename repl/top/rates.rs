//! The activity of guests per second, from two samples.

use std::cmp::Ordering;

use super::sample::{Guest, Sample};

/// A guest as a row of the view.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Name of the host; empty in a view of one host.
    pub(super) host: String,
    /// True if the host does not answer; then the name is the reason.
    pub(super) silent: bool,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) vcpus: Option<u64>,
    pub(super) memory_kib: Option<u64>,
    /// Percent of one processor of the host.
    pub(super) cpu: Option<f64>,
    /// The rest in bytes a second.
    pub(super) reads: Option<f64>,
    pub(super) writes: Option<f64>,
    pub(super) receives: Option<f64>,
    pub(super) sends: Option<f64>,
}

impl Row {
    /// A row for the host that does not answer because of `why`.
    pub(super) fn silent(host: &str, why: &str) -> Self {
        Self {
            host: host.to_owned(),
            silent: true,
            name: why.to_owned(),
            state: String::new(),
            vcpus: None,
            memory_kib: None,
            cpu: None,
            reads: None,
            writes: None,
            receives: None,
            sends: None,
        }
    }
}

/// The columns to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Name,
    Cpu,
    Memory,
    Disk,
    Network,
}

/// The rows for `now`, with rates since `before`, if a guest was there before.
pub(super) fn rows(before: Option<&Sample>, now: &Sample) -> Vec<Row> {
    let seconds = before.map_or(0.0, |before| (now.at - before.at).as_secs_f64());
    now.guests
        .iter()
        .map(|guest| {
            let before = before.and_then(|before| {
                let same = |other: &&Guest| other.name == guest.name;
                before.guests.iter().find(same)
            });
            row(guest, before, seconds)
        })
        .collect()
}

fn row(now: &Guest, before: Option<&Guest>, seconds: f64) -> Row {
    let rate = |figure: fn(&Guest) -> Option<u64>| {
        let (was, is) = (before.and_then(figure)?, figure(now)?);
        // A guest that was started again begins at zero.
        let done = is.checked_sub(was)?;
        (seconds > 0.0).then(|| done as f64 / seconds)
    };
    Row {
        host: String::new(),
        silent: false,
        name: now.name.clone(),
        state: now.state.clone(),
        vcpus: now.vcpus,
        memory_kib: now.memory_kib,
        cpu: rate(|guest| guest.cpu_time_ns).map(|ns| ns / 1e7),
        reads: rate(|guest| guest.read_bytes),
        writes: rate(|guest| guest.written_bytes),
        receives: rate(|guest| guest.received_bytes),
        sends: rate(|guest| guest.sent_bytes),
    }
}

/// Sorts the largest value first, and names by the alphabet.
pub(super) fn sort(rows: &mut [Row], order: Order, reversed: bool) {
    let most = |one: Option<f64>, other: Option<f64>| {
        other
            .unwrap_or(-1.0)
            .partial_cmp(&one.unwrap_or(-1.0))
            .unwrap_or(Ordering::Equal)
    };
    let both = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0.0) + other.unwrap_or(0.0)),
    };
    rows.sort_by(|one, other| {
        let by = match order {
            Order::Name => Ordering::Equal,
            Order::Cpu => most(one.cpu, other.cpu),
            Order::Memory => other.memory_kib.cmp(&one.memory_kib),
            Order::Disk => most(both(one.reads, one.writes), both(other.reads, other.writes)),
            Order::Network => most(
                both(one.receives, one.sends),
                both(other.receives, other.sends),
            ),
        };
        by.then_with(|| (&one.name, &one.host).cmp(&(&other.name, &other.host)))
    });
    if reversed {
        rows.reverse();
    }
    // Hosts that do not answer stay at the top.
    rows.sort_by_key(|row| !row.silent);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Order, rows, sort};
    use crate::top::sample::{Guest, Sample};

    fn guest(name: &str, cpu_time_ns: u64, read_bytes: Option<u64>) -> Guest {
        Guest {
            name: name.into(),
            cpu_time_ns: Some(cpu_time_ns),
            read_bytes,
            ..Guest::default()
        }
    }

    #[test]
    fn rates_are_those_since_the_last_sample() {
        let at = Instant::now();
        let before = Sample {
            at,
            guests: vec![guest("a", 0, Some(100)), guest("again", 900, None)],
        };
        let now = Sample {
            at: at + Duration::from_secs(2),
            guests: vec![
                guest("a", 1_000_000_000, Some(4_100)),
                guest("again", 100, None),
                guest("new", 5, None),
            ],
        };
        let rows = rows(Some(&before), &now);
        assert_eq!((rows[0].cpu, rows[0].reads), (Some(50.0), Some(2_000.0)));
        assert_eq!((rows[1].cpu, rows[2].cpu), (None, None));
    }

    #[test]
    fn rows_are_sorted_by_what_is_most_and_then_by_name() {
        let at = Instant::now();
        let sample = |scale| Sample {
            at: at + Duration::from_secs(scale),
            guests: vec![
                guest("b", 10 * scale, Some(scale)),
                guest("a", 10 * scale, Some(5 * scale)),
                guest("c", 30 * scale, None),
            ],
        };
        let mut found = rows(Some(&sample(0)), &sample(1));
        let names =
            |rows: &[super::Row]| rows.iter().map(|row| row.name.clone()).collect::<String>();
        sort(&mut found, Order::Cpu, false);
        assert_eq!(names(&found), "cab");
        sort(&mut found, Order::Disk, false);
        assert_eq!(names(&found), "abc");
        sort(&mut found, Order::Name, true);
        assert_eq!(names(&found), "cba");
    }
}
