//! Clones that are stopped.

use super::{recipe, script, site};
use crate::support::{Host, InProcess, Sweep};

/// A host of the test driver with a guest, off, and a pool.
const NODE: &str = "\
    <pool type='dir'><name>images</name><target><path>/images</path></target></pool>";

const PREPARE: &str = r#"
    import "std/image" as image;
    let path = image::create(conn, #{ pool: "images", name: "web.raw", format: "raw", size: "1MiB" }).path;
    conn.define_xml(`<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os>
        <devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${path}'/><target dev='vda'/></disk></devices></domain>`)"#;

const CLONE: &str = "clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\" })";

#[test]
fn a_clone_on_the_test_driver_is_stopped_after_each_operation() {
    for options in [
        "#{ name: \"copy\" }",
        "#{ name: \"copy\", mode: \"backed\", start: true }",
    ] {
        let cloning = format!(
            "import \"std/clone\" as clone; clone::of(conn.lookup_by_name(\"web\"), {options})"
        );
        let swept = InProcess::new(&format!("clone {options}"), NODE, PREPARE, &cloning)
            .every(150)
            .run();
        swept.says_nothing();
        assert!(swept.points > 50);
    }
}

#[test]
fn a_clone_of_a_guest_that_is_off_is_stopped_at_each_call() {
    let clone = "clone::of(conn.lookup_by_name(\"web\"), #{ name: \"copy\", start: true })";
    let complete = "assert_eq(conn.list_all_domains().len(), 2); \
        assert_eq(conn.storage_pool_lookup_by_name(\"images\").num_of_volumes(), 4);";
    Sweep::new(
        "clone of a guest that is off",
        || site(&["raw", "qcow2"], false),
        recipe(clone),
    )
    .complete(script(complete))
    .at_most(6)
    .run()
    .says_nothing();
}

#[test]
fn a_clone_of_a_running_guest_is_stopped_at_each_call() {
    let complete = "assert_eq(conn.list_all_domains().len(), 2); \
        assert_eq(conn.lookup_by_name(\"web\").state(), \"running\"); \
        assert_eq(conn.storage_pool_lookup_by_name(\"images\").num_of_volumes(), 4);";
    Sweep::new(
        "clone of a running guest",
        || site(&["raw", "qcow2"], true),
        recipe(CLONE),
    )
    .complete(script(complete))
    .at_most(8)
    .run()
    .says_nothing();
}

#[test]
fn a_clone_of_a_transient_guest_that_is_stopped_leaves_it_on_its_own_image() {
    let transient = || {
        let host = site(&["qcow2"], true);
        // A running guest becomes transient when it is undefined.
        host.ok("connect().lookup_by_name(\"web\").undefine();");
        host
    };
    Sweep::new("clone of a transient guest", transient, recipe(CLONE))
        .at_most(6)
        .run()
        .says_nothing();
}
