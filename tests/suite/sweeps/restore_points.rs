//! Restore points that are stopped.

use super::{recipe, script, site};
use crate::support::{Daemon, Host, InProcess, Sweep};

const MAKE: &str = "restore_point::make(conn.lookup_by_name(\"web\"), \"p\")";
const RESTORE: &str = "restore_point::restore(conn.lookup_by_name(\"web\"), \"p\")";
const RUNS: &str = "assert_eq(conn.lookup_by_name(\"web\").state(), \"running\"); \
    assert_eq(restore_point::list(conn.lookup_by_name(\"web\")), [\"p\"])";

/// A host whose guest has a restore point, and was changed since.
fn changed(formats: &[&str], after: &str) -> Daemon {
    let host = site(formats, true);
    host.ok(&script(&format!(
        "{MAKE}; let dom = conn.lookup_by_name(\"web\"); \
         if {raw} {{ let disk = conn.storage_vol_lookup_by_path(dom.xml().get(\"devices/disk/source/@file\")); \
             disk.upload(blob(16, 0xee), 8192); }} \
         {after}",
        raw = formats[0] == "raw"
    )));
    host
}

#[test]
fn points_in_snapshots_are_stopped_after_each_operation() {
    let node = "<domain type='test'><name>web</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>\
        <memory>1024</memory><os><type>hvm</type></os></domain>";
    let import = "import \"std/restore_point\" as restore_point;";
    let swept = InProcess::new(
        "restore point in a snapshot",
        node,
        "",
        &format!("{import}{MAKE}"),
    )
    .every(2)
    .run();
    swept.says_nothing();
    assert!(swept.points > 20);
    // Reverting is a single call of libvirt that cannot be undone; a stop after it is reported as
    // such.
    InProcess::new(
        "return to a snapshot",
        node,
        &format!("{import}{MAKE}; conn.lookup_by_name(\"web\").suspend()"),
        &format!("{import}{RESTORE}"),
    )
    .every(2)
    .run()
    .says_only("stays there: later changes are lost");
}

#[test]
fn a_point_of_raw_disks_is_stopped_at_each_call() {
    Sweep::new(
        "restore point of raw disks",
        || site(&["raw", "raw"], true),
        recipe(MAKE),
    )
    .complete(script(RUNS))
    .at_most(7)
    .run()
    .says_nothing();
}

#[test]
fn a_point_of_a_paused_guest_is_stopped_at_each_call() {
    let paused = || {
        let host = site(&["raw"], true);
        host.ok("connect().lookup_by_name(\"web\").suspend();");
        host
    };
    Sweep::new("restore point of a paused guest", paused, recipe(MAKE))
        .complete(script(
            "assert_eq(conn.lookup_by_name(\"web\").state(), \"paused\")",
        ))
        .at_most(6)
        .run()
        .says_nothing();
}

#[test]
fn a_point_in_qcow2_is_stopped_at_each_call() {
    Sweep::new(
        "restore point in qcow2",
        || site(&["qcow2"], true),
        recipe(MAKE),
    )
    .complete(script(RUNS))
    .at_most(6)
    .run()
    .leaves_nothing();
}

#[test]
fn the_return_of_a_running_guest_to_raw_copies_is_stopped_at_each_call() {
    Sweep::new(
        "return to raw disks",
        || changed(&["raw", "raw"], ""),
        recipe(RESTORE),
    )
    .complete(script(RUNS))
    .at_most(6)
    .run()
    .says_only("stays there: later changes are lost");
}

#[test]
fn the_return_of_a_guest_that_is_off_is_stopped_at_each_call() {
    Sweep::new(
        "return of a guest that is off",
        || changed(&["raw"], "dom.destroy()"),
        recipe(RESTORE),
    )
    .complete(script(RUNS))
    .at_most(6)
    .run()
    .says_only("stays there: later changes are lost");
}
