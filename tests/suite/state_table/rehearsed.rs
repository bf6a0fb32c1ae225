//! The table's rows of QEMU, run in a rehearsal: each call has QEMU's result, or the rehearsal
//! reports that the result is not QEMU's.

use std::path::Path;

use serde_json::json;
use virhai::runbook::twin::fidelity::{self, Fidelity};

use crate::support::{Scratch, golden, virhai};

use super::rows::{self, Row};
use super::script::{self, Place, mismatches};
use super::{networks, pools, rows_of, spread};

/// The file with the numbers of rows by their outcome, as `Tally` writes it.
pub const NUMBERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rehearsed.json");

/// The functions of libvirt that the rows call.
pub const COMPARED: &str = "virDomainAbortJob virDomainCoreDump virDomainCreate virDomainCreateWithFlags virDomainCreateXML
    virDomainDefineXML virDomainDefineXMLFlags virDomainDestroy virDomainDestroyFlags virDomainGetAutostart
    virDomainGetBlockJobInfo virDomainGetControlInfo virDomainGetID virDomainGetInfo virDomainGetJobInfo
    virDomainGetName virDomainGetState virDomainGetXMLDesc virDomainHasCurrentSnapshot
    virDomainHasManagedSaveImage virDomainInjectNMI virDomainIsActive virDomainIsPersistent virDomainIsUpdated
    virDomainManagedSave virDomainManagedSaveRemove virDomainMemoryStats virDomainMigrate virDomainMigrate3
    virDomainMigrateToURI virDomainReboot virDomainRename virDomainReset virDomainRestore virDomainRestoreFlags
    virDomainResume virDomainRevertToSnapshot virDomainSave virDomainSaveFlags virDomainSaveImageGetXMLDesc
    virDomainSendKey virDomainSetAutostart virDomainSetMemory virDomainSetMetadata virDomainShutdown
    virDomainShutdownFlags virDomainSnapshotCreateXML virDomainSnapshotDelete virDomainSuspend virDomainUndefine
    virDomainUndefineFlags virNetworkCreate virNetworkCreateXML virNetworkDefineXML virNetworkDestroy
    virNetworkGetAutostart virNetworkGetBridgeName virNetworkGetName virNetworkGetXMLDesc virNetworkIsActive
    virNetworkSetAutostart virNetworkUndefine virNetworkUpdate virStoragePoolBuild virStoragePoolCreate
    virStoragePoolCreateXML virStoragePoolDefineXML virStoragePoolDelete virStoragePoolDestroy
    virStoragePoolGetAutostart virStoragePoolGetInfo virStoragePoolGetName virStoragePoolGetXMLDesc
    virStoragePoolIsActive virStoragePoolRefresh virStoragePoolSetAutostart
    virStoragePoolUndefine virStorageVolCreateXML virStorageVolCreateXMLFrom virStorageVolDelete
    virStorageVolGetInfo virStorageVolLookupByName virStorageVolResize virStorageVolWipe";

/// Operations with another result in some states, each with its function of libvirt. The plan names the difference.
const NAMED_DIFFERENCES: [(&str, &str); 8] = [
    ("shutdown()", "virDomainShutdown"),
    ("shutdownFlags(", "virDomainShutdownFlags"),
    ("save(unwritable dir)", "virDomainSave"),
    ("memoryStats()", "virDomainMemoryStats"),
    ("create(0) with missing directory", "virStoragePoolCreate"),
    ("createXML(vol capacity", "virStorageVolCreateXML"),
    ("createXML(vol alloc", "virStorageVolCreateXML"),
    ("v1.path exists on disk", "virStorageVolCreateXML"),
];

/// True if the plan names a difference for the call of `row`.
fn is_named(row: &Row) -> bool {
    let all = NAMED_DIFFERENCES.iter();
    let mut found = all.filter(|(begin, _)| row.operation.starts_with(begin));
    found.any(
        |(_, call)| matches!(fidelity::of_call(call), Fidelity::Shim(text) if !text.is_empty()),
    )
}

/// The rows of `part` that the rehearsal did not refuse.
fn answered<'a>(part: &[(usize, &'a Row)], printed: &str) -> Vec<(usize, &'a Row)> {
    let refused: Vec<usize> = printed
        .lines()
        .filter(|line| line.contains("was not rehearsed"))
        .filter_map(|line| line.split('\t').next()?.parse().ok())
        .collect();
    let rest = part.iter().filter(|(index, _)| !refused.contains(index));
    rest.copied().collect()
}

/// The outcomes of rows.
#[derive(Default)]
struct Tally {
    same: usize,
    refused: usize,
    named: usize,
    found: Vec<String>,
}

impl Tally {
    /// Runs `rows` by the script `text` in a rehearsal of `host`; its guest is called `domain`.
    fn run(
        &mut self,
        host: &str,
        folder: &str,
        domain: &str,
        rows: &[(usize, &Row)],
        text: String,
    ) {
        let outcome = virhai()
            .arg("-c")
            .arg(host)
            .arg("--rehearse")
            .arg("--allow-read")
            .arg(folder)
            .arg("--allow-write")
            .arg(folder)
            .arg("--allow-write")
            .arg("/nonexistent-dir")
            .script(text)
            .run();
        let ending = format!("status {}, {}", outcome.status, outcome.stderr);
        let answered = answered(rows, &outcome.stdout);
        self.refused += rows.len() - answered.len();
        for row in answered {
            let differs = mismatches(domain, &[row], &outcome.stdout, &ending);
            match differs.is_empty() {
                true => self.same += 1,
                false if is_named(row.1) => self.named += 1,
                false => self.found.extend(differs),
            }
        }
    }
}

/// A spread of the rows of domains, or all where `VIRHAI_TEST_ALL` is set; all rows of networks and pools.
#[test]
fn a_rehearsal_does_in_every_state_what_the_host_does_or_says_that_it_does_not() {
    let all = rows::all();
    let mut rows = rows_of(&all, "qemu");
    let is_whole = std::env::var_os("VIRHAI_TEST_ALL").is_some();
    if !is_whole {
        rows = spread(&rows);
    }
    let scratch = Scratch::new();
    let folder = scratch.folder("saves").display().to_string();
    let [here, there] = ["here.xml", "there.xml"]
        .map(|name| format!("test://{}", scratch.write(name, "<node/>").display()));
    let place = Place {
        domain: "relsm".into(),
        number: 1,
        domain_type: "test",
        folder: folder.clone(),
        destination: there,
        memory_uri: "tcp://127.0.0.1:49199".into(),
        fresh_host: false,
    };
    let mut tally = Tally::default();
    let mut of = rows.len();
    for part in rows.chunks(400) {
        tally.run(
            &here,
            &folder,
            &place.domain,
            part,
            script::script(&place, part),
        );
    }
    let networks = networks::rows_of(&all, "qemu");
    tally.run(&here, &folder, "", &networks, networks::script(&networks));
    let pools = pools::rows_of(&all, "qemu");
    tally.run(&here, &folder, "", &pools, pools::script(&folder, &pools));
    of += networks.len() + pools.len();
    super::report(&tally.found, of);
    if is_whole {
        let numbers = json!({ "same": tally.same, "named": tally.named, "refused": tally.refused });
        golden(Path::new(NUMBERS), &format!("{numbers}\n"));
    }
}
