//! Clones that are stopped.

use super::{IMPORTS, site};
use crate::support::{InProcess, Sweep};

/// A host of the test driver with a guest that has a disk in a pool.
const NODE: &str = "\
    <pool type='dir'><name>images</name><target><path>/images</path></target></pool>\
    <domain type='test'><name>web</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>\
    <memory>1024</memory><os><type>hvm</type></os></domain>";

#[test]
fn a_clone_on_the_test_driver_is_stopped_after_each_operation() {
    InProcess::new(
        "clone of a guest without disks",
        NODE,
        "",
        "import \"std/clone\" as clone; clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" })",
    )
    .run()
    .says_nothing();
}

#[test]
fn a_clone_of_a_running_guest_is_stopped_at_each_call() {
    Sweep::new(
        "clone of a running guest, qcow2 and raw",
        || site(&["raw", "qcow2"], true),
        format!("{IMPORTS} clone::of(conn.lookup_by_name(\"web\"), #{{ name: \"copy\" }})"),
    )
    .complete(format!(
        "{IMPORTS} assert_eq(conn.list_all_domains().len(), 2); \
         assert_eq(conn.lookup_by_name(\"web\").state(), \"running\"); \
         assert_eq(conn.storage_pool_lookup_by_name(\"images\").num_of_volumes(), 4);"
    ))
    .run()
    .leaves_nothing();
}
