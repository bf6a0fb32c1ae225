//! The host's statistics of its guests at one time.

use std::time::Instant;

use rhai::{Array, Dynamic, Map};

use crate::{show, terminal};

/// The guests of a host at one moment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) guests: Vec<Guest>,
}

/// A guest's figures so far; figures that the hypervisor does not report are missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Guest {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) vcpus: Option<u64>,
    pub(super) memory_kib: Option<u64>,
    pub(super) cpu_time_ns: Option<u64>,
    pub(super) read_bytes: Option<u64>,
    pub(super) written_bytes: Option<u64>,
    pub(super) received_bytes: Option<u64>,
    pub(super) sent_bytes: Option<u64>,
}

impl Sample {
    /// The answer of `get_all_domain_stats`.
    pub(super) fn new(at: Instant, stats: &Array) -> Self {
        let maps = stats.iter().filter_map(|value| value.read_lock::<Map>());
        Self {
            at,
            guests: maps.map(|map| guest(&map)).collect(),
        }
    }
}

fn guest(stats: &Map) -> Guest {
    let name = stats.get("domain").and_then(show::noun_and_name);
    let state = at(stats, &["state", "state"]).map(|value| value.to_string());
    let figure = |path: &[&str]| at(stats, path).and_then(|value| whole(&value));
    Guest {
        name: name.map_or_else(String::new, |(_, name)| visible(&name)),
        state: visible(&state.unwrap_or_default()),
        vcpus: figure(&["vcpu", "current"]),
        memory_kib: figure(&["balloon", "current"]),
        cpu_time_ns: figure(&["cpu", "time"]),
        read_bytes: sum(stats, "block", &["rd", "bytes"]),
        written_bytes: sum(stats, "block", &["wr", "bytes"]),
        received_bytes: sum(stats, "net", &["rx", "bytes"]),
        sent_bytes: sum(stats, "net", &["tx", "bytes"]),
    }
}

fn visible(text: &str) -> String {
    terminal::visible_line(text).into_owned()
}

/// The value at `path` within maps.
fn at(map: &Map, path: &[&str]) -> Option<Dynamic> {
    let (first, rest) = path.split_first()?;
    let value = map.get(*first)?;
    match rest {
        [] => Some(value.clone()),
        _ => at(&*value.read_lock::<Map>()?, rest),
    }
}

/// The sum over all devices; none if no device reports a value.
fn sum(stats: &Map, devices: &str, path: &[&str]) -> Option<u64> {
    let list = stats.get(devices)?.read_lock::<Array>()?;
    let figures = list.iter().filter_map(|device| {
        let device = device.read_lock::<Map>()?;
        whole(&at(&device, path)?)
    });
    figures.reduce(u64::saturating_add)
}

fn whole(value: &Dynamic) -> Option<u64> {
    u64::try_from(value.as_int().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rhai::{Array, Engine};

    use super::{Guest, Sample};

    #[test]
    fn figures_are_found_where_they_are_and_summed_over_devices() {
        let stats: Array = Engine::new()
            .eval(
                r#"[#{ state: #{ state: "running" }, cpu: #{ time: 5 }, balloon: #{ current: 1024 },
                       block: [#{ rd: #{ bytes: 1 }, wr: #{ bytes: 2 } }, #{ rd: #{ bytes: 3 } }],
                       net: [], vcpu: #{ current: 2 } }]"#,
            )
            .expect("a list");
        let sample = Sample::new(Instant::now(), &stats);
        assert_eq!(
            sample.guests,
            [Guest {
                name: String::new(),
                state: "running".into(),
                vcpus: Some(2),
                memory_kib: Some(1024),
                cpu_time_ns: Some(5),
                read_bytes: Some(4),
                written_bytes: Some(2),
                received_bytes: None,
                sent_bytes: None,
            }]
        );
    }
}
