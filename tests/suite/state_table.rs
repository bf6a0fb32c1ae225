//! The effect of operations by state, compared with measurements of libvirt.
//!
//! `tests/data/lifecycle.tsv` was measured with libvirt-python on libvirt 11.3 and QEMU 10. Each row has a state, an
//! operation and its result; virhai must give the same result, except where a difference is listed with its reason.

mod differences;
mod guests;
mod labels;
mod networks;
mod pools;
pub mod rehearsed;
mod rows;
mod script;
mod snapshots;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Mutex;

use crate::support::{Daemon, Host, Scratch, virhai};

use rows::Row;
use script::{Place, mismatches};

/// The rows of `driver` that are run, each with its index in the table.
fn rows_of<'a>(all: &'a [Row], driver: &str) -> Vec<(usize, &'a Row)> {
    all.iter()
        .enumerate()
        .filter(|(_, row)| row.driver == driver && row.concerns_domains())
        .filter(|(_, row)| row.left_out().is_none())
        .collect()
}

fn report(mismatches: &[String], of: usize) {
    let count = mismatches.len();
    assert!(
        count == 0,
        "{count} of {of} rows differ:\n{}",
        mismatches.join("\n")
    );
}

/// The number of rows of each driver that are left out, by the beginning of the reason; all others
/// are run.
const LEFT_OUT: [(&str, &str, usize); 3] = [
    ("qemu", "a fault", 7),
    ("qemu", "a restart of the daemon", 2),
    ("qemu", "done by a guest", 12),
];

#[test]
fn every_row_is_run_or_left_out_for_a_reason() {
    let all = rows::all();
    for row in all.iter().filter(|row| row.left_out().is_none()) {
        let (state, operation) = (row.state, row.operation);
        let (reached, done) = if row.concerns_pools() {
            (pools::state(state), pools::operation(operation))
        } else if row.concerns_networks() {
            (networks::state(state), networks::operation(operation))
        } else {
            (labels::state(state), labels::operation(operation))
        };
        assert!(reached.is_some(), "no words for {state}");
        assert!(done.is_some(), "no words for {operation}");
    }
    let mut left_out = BTreeMap::<(&str, &str), usize>::new();
    for row in &all {
        if let Some(reason) = row.left_out() {
            *left_out.entry((row.driver, reason)).or_default() += 1;
        }
    }
    assert_eq!(left_out.len(), LEFT_OUT.len(), "{left_out:#?}");
    for ((driver, reason), count) in left_out {
        let listed = LEFT_OUT.iter().any(|(of, begin, listed)| {
            *of == driver && reason.starts_with(begin) && *listed == count
        });
        assert!(listed, "{count} rows of {driver} are left out: {reason}");
    }
    assert_eq!(rows_of(&all, "test").len(), 1303);
    assert_eq!(rows_of(&all, "qemu").len(), 1400);
}

#[test]
fn the_test_driver_does_in_every_state_what_the_table_says() {
    let all = rows::all();
    let rows = rows_of(&all, "test");
    let scratch = Scratch::new();
    let node = scratch.write("node.xml", "<node/>");
    let uri = format!("test://{}", node.display());
    let place = Place {
        domain: "relsm".into(),
        number: 1,
        domain_type: "test",
        folder: scratch.text(""),
        destination: uri.clone(),
        memory_uri: "tcp://127.0.0.1:49199".into(),
        fresh_host: true,
    };
    let mut found = Vec::new();
    for part in rows.chunks(400) {
        let outcome = virhai()
            .arg("-c")
            .arg(&uri)
            .arg("--allow-read")
            .arg(&place.folder)
            .arg("--allow-write")
            .arg(&place.folder)
            .arg("--allow-write")
            .arg("/nonexistent-dir")
            .script(script::script(&place, part))
            .run();
        let ending = format!("status {}, {}", outcome.status, outcome.stderr);
        found.extend(mismatches(&place.domain, part, &outcome.stdout, &ending));
    }
    report(&found, rows.len());
}

/// The number of scripts that run on one daemon at the same time; a row mostly waits for QEMU to end.
const LANES: usize = 4;

/// The number of rows per script: few enough that no script comes near its time limit.
const ROWS_OF_A_SCRIPT: usize = 6;

/// Runs `rows` on their own daemons, and returns the differences.
fn run_on_qemu(rows: &[(usize, &Row)]) -> Vec<String> {
    let (here, there) = (Daemon::start(), Daemon::start());
    let saves = here.scratch().folder("saves");
    let parts = Mutex::new(parts(rows).into_iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in 1..=LANES {
            let (here, there, parts, found, saves) = (&here, &there, &parts, &found, &saves);
            scope.spawn(move || {
                let place = Place {
                    domain: format!("relsm{lane}"),
                    number: lane,
                    domain_type: "qemu",
                    folder: saves.display().to_string(),
                    destination: there.uri(),
                    memory_uri: format!("tcp://127.0.0.1:{}", free_port()),
                    fresh_host: false,
                };
                loop {
                    let part = parts.lock().expect("no lane panics").next();
                    let Some(part) = part else { break };
                    let text = script::script(&place, &part);
                    let outcome = here.virhai().script(text).run();
                    let ending = format!("status {}, {}", outcome.status, outcome.stderr);
                    let differ = mismatches(&place.domain, &part, &outcome.stdout, &ending);
                    found.lock().expect("no lane panics").extend(differ);
                }
            });
        }
    });
    found.into_inner().expect("no lane panics")
}

/// The rows grouped by state, with those first that do not change it, split into parts for one
/// script each.
fn parts<'a>(rows: &[(usize, &'a Row)]) -> Vec<Vec<(usize, &'a Row)>> {
    let mut states: BTreeMap<&str, Vec<(usize, &Row)>> = BTreeMap::new();
    for row in rows {
        states.entry(row.1.state).or_default().push(*row);
    }
    let sorted = states.into_values().flat_map(|mut rows| {
        rows.sort_by_key(|(_, row)| !row.keeps_its_state());
        rows.chunks(ROWS_OF_A_SCRIPT)
            .map(<[_]>::to_vec)
            .collect::<Vec<_>>()
    });
    sorted.collect()
}

/// A port that is free now, for the memory of a migrating guest.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be had");
    listener.local_addr().expect("it has an address").port()
}

/// About 150 rows of the lifecycle: every operation in some states, some operations in every state.
fn spread<'a>(rows: &[(usize, &'a Row)]) -> Vec<(usize, &'a Row)> {
    let mut states = Vec::new();
    let mut operations = Vec::new();
    rows.iter()
        .filter(|(_, row)| row.is_of_the_lifecycle())
        .filter(|(_, row)| {
            let state = place(&mut states, row.state);
            let operation = place(&mut operations, row.operation);
            (operation + 5 * state).is_multiple_of(6)
        })
        .copied()
        .collect()
}

/// The place of `label` among those seen before.
fn place<'a>(seen: &mut Vec<&'a str>, label: &'a str) -> usize {
    seen.iter()
        .position(|known| *known == label)
        .unwrap_or_else(|| {
            seen.push(label);
            seen.len() - 1
        })
}

#[test]
fn the_spread_has_every_state_and_every_operation_of_the_lifecycle() {
    let all = rows::all();
    let rows = rows_of(&all, "qemu");
    let spread = spread(&rows);
    assert!((130..=170).contains(&spread.len()), "{} rows", spread.len());
    for (_, row) in rows.iter().filter(|(_, row)| row.is_of_the_lifecycle()) {
        let (state, operation) = (row.state, row.operation);
        assert!(spread.iter().any(|(_, row)| row.state == state), "{state}");
        assert!(
            spread.iter().any(|(_, row)| row.operation == operation),
            "{operation}"
        );
    }
}

/// A spread of the rows, or all that concern domains where `VIRHAI_TEST_ALL` is set.
#[test]
fn qemu_does_in_every_state_what_the_table_says() {
    let all = rows::all();
    let mut rows = rows_of(&all, "qemu");
    if std::env::var_os("VIRHAI_TEST_ALL").is_none() {
        rows = spread(&rows);
    }
    report(&run_on_qemu(&rows), rows.len());
}
